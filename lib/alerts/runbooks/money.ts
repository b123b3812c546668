import { DRY_RUN, type Runbook } from './runbook'

export const ORPHANS: Runbook = {
  id: 'orphaned-effects',
  title: 'Side effects without a record',
  when: 'A side effect happened, and no idempotency record answers for it: a retry would do it again.',
  steps: [
    {
      head: 'What happened, and to whom?',
      text: 'Effects lists them with their amounts and traces. The service that died between the provider and its own record is usually one, and one version.',
      link: { label: 'Open the orphans', path: '/effects?kind=orphan' },
      command: 'GET /api/v1/effects?kind=orphan&from={from}&to={to}',
    },
    {
      head: 'Let store, ledger and provider decide.',
      text: 'A dry run on the range says which are confirmed: charged and not booked, or charged without any trace.',
      command: DRY_RUN,
    },
    {
      head: 'Mend.',
      text: 'Adopt it into the ledger of {service}, or refund it: propose on the case, and another person approves the same evidence. A retry that is on its way settles some of them by itself.',
      link: { label: 'Open the cases', path: '/reconciliation' },
    },
    {
      head: 'Do not',
      text: 'refund at the provider’s dashboard while a case is open: it would be sent twice.',
    },
  ],
}

export const OPEN_CASES: Runbook = {
  id: 'open-cases',
  title: 'Cases are open for too long',
  when: 'Cases of {service}, confirmed or suspected, are open and nobody has put them off.',
  steps: [
    {
      head: 'The oldest, and the largest.',
      text: 'Reconciliation sorts by severity. Take a case, so that others see that you have it.',
      link: { label: 'Open the cases', path: '/reconciliation' },
      command: 'GET /api/v1/reconciliation/cases?severity=P1',
    },
    {
      head: 'Read the evidence, then propose.',
      text: 'The case names what store, ledger and provider say and offers only what is safe; where it offers nothing it says why. Another person approves.',
    },
    {
      head: 'Only suspected?',
      text: 'Two charges of one reference may be meant. Ask the service’s team first; a suspicion is never refunded by itself.',
      link: { label: 'Open Now in this range', path: '/now' },
    },
    {
      head: 'Was it mended elsewhere?',
      text: 'Let it be looked at again: a case closes by itself once the sides agree. Do not ignore what you did not read.',
      command: DRY_RUN,
    },
  ],
}
