import type { Runbook } from './runbook'

export const STORAGE: Runbook = {
  id: 'storage',
  title: 'A store fills up',
  when: '{service} is nearly full, its expired keys are not collected, or partitions are not made ahead.',
  steps: [
    {
      head: 'How long is left, and what grows?',
      text: 'Storage shows size, growth and backlog by tier, with what was collected since {from}.',
      link: { label: 'Open storage', path: '/storage' },
    },
    {
      head: 'Does the collection run, and is something in its way?',
      text: 'A run names who holds a partition: a forgotten transaction or a slow vacuum of the service’s database. End that, not the collection.',
      link: { label: 'Open the runs', path: '/reconciliation' },
      command: 'GET /api/v1/runs?kind=collection',
    },
    {
      head: 'Too much is kept?',
      text: 'Propose a shorter policy for the tier: its preview says which keys clients still retry. Another person approves.',
    },
    {
      head: 'Do not',
      text: 'delete rows by hand: a key that is still replayed would run again, and an unfinished one says that money may have moved.',
    },
  ],
}
