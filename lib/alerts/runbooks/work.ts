import { DRY_RUN, type Runbook } from './runbook'

export const APPROVALS: Runbook = {
  id: 'approvals-waiting',
  title: 'Proposals wait for a second person',
  when: 'What somebody proposed waits to be approved or refused.',
  steps: [
    {
      head: 'Look at each, oldest first.',
      text: 'The approval shows the evidence as it was proposed; it is refused by itself when that has changed. Whoever proposed it cannot approve it.',
      link: { label: 'Open the approvals', path: '/reconciliation' },
      command: 'GET /api/v1/actions?state=proposed',
    },
    {
      head: 'Nobody there who may?',
      text: 'An approver has to be on call beside the operator of {service}. Proposals do not expire before they are approved; what they correct may, since {from}.',
    },
  ],
}

export const UNKNOWN_OUTCOMES: Runbook = {
  id: 'unknown-outcomes',
  title: 'Nobody knows how an action ended',
  when: 'A correction or a key verb was sent, and neither success nor failure was read since {from}.',
  steps: [
    {
      head: 'It is being settled.',
      text: 'The console reads the provider or the store again and writes down what it finds. It never sends it again because nobody answered.',
      link: { label: 'Open the approvals', path: '/reconciliation' },
      command: 'GET /api/v1/actions?state=unknown',
    },
    {
      head: 'Why can it not be read?',
      text: 'Sources says whether the provider or the store of {service} answers.',
      link: { label: 'Open the sources', path: '/sources' },
    },
    { head: 'Do not', text: 'propose the same again, nor do it at the dashboard: it may have happened.' },
  ],
}

export const INCOMPLETE: Runbook = {
  id: 'reconciliation-incomplete',
  title: 'Reconciliation is incomplete',
  when: 'The last run could not read every side of {service}, or failed. It proves nothing, and resolves nothing.',
  steps: [
    {
      head: 'Which side?',
      text: 'The run says what it read of each source, and what was missing.',
      link: { label: 'Open the runs', path: '/reconciliation' },
      command: 'GET /api/v1/runs?kind=reconciliation',
    },
    {
      head: 'Can the source be read?',
      text: 'Follow the runbook of the source where one is down.',
      link: { label: 'Open the sources', path: '/sources' },
    },
    { head: 'Back again:', text: 'reconcile the time that was missed.', command: DRY_RUN },
  ],
}
