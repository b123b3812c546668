import type { Runbook } from './runbook'

export const PROCESSES: Runbook = {
  id: 'console-processes',
  title: 'A process of the console does not work',
  when: 'No worker or no receiver gives a sign of life, runs wait, or the figures are not rolled up. Payments go on: the console is in nobody’s way.',
  steps: [
    {
      head: 'What is missing meanwhile?',
      text: 'Without a worker nothing is checked, reconciled or collected since {from}; without a receiver no telemetry comes in, and exporters keep it as long as they can.',
      link: { label: 'Open the sources', path: '/sources' },
      command: 'GET /readyz',
    },
    {
      head: 'Start it again.',
      text: '`npm run worker` and `npm run receiver`, on as many machines as you like. `npm start` keeps one of each. Look into its log first: a process that cannot reach the database says so and ends.',
    },
    {
      head: 'They run, and runs wait all the same?',
      text: 'One run may hold the others up: Runs says which is running, and how far it is. It can be cancelled, and goes on where it was.',
      link: { label: 'Open the runs', path: '/reconciliation' },
      command: 'GET /api/v1/runs?state=running,queued',
    },
    {
      head: 'Is its disk full, or its database slow?',
      text: '`/readyz` names what is wrong. Nothing that was accepted is lost. What came from {service} is counted once it is rolled up.',
    },
  ],
}

export const AUDIT: Runbook = {
  id: 'audit-unsealed',
  title: 'The audit is not sealed',
  when: 'Entries are not in the signed chain since {from}: until they are, nobody could prove that they were not changed.',
  steps: [
    {
      head: 'Does a worker run?',
      text: 'Sealing is a job like others.',
      link: { label: 'Open the sources', path: '/sources' },
      command: 'GET /readyz',
    },
    {
      head: 'Does sealing refuse?',
      text: 'It refuses when what was sealed before has been changed: keep the database as it is, verify an export offline, and follow “The audit” in the guide on operating. Who of {service} can write to the database?',
      link: { label: 'Open the audit', path: '/audit' },
      command: 'npm run verify-audit',
    },
    { head: 'Do not', text: 'start a new chain to silence it.' },
  ],
}
