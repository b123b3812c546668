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

export const NOTIFICATION: Runbook = {
  id: 'notification-failing',
  title: 'A receiver of alerts cannot be reached',
  when: 'Messages to {service} failed several times in a row: whoever is told by it alone is not told.',
  steps: [
    {
      head: 'What does it answer?',
      text: 'The log of deliveries has every try since {from} with the receiver’s own answer: a revoked token, a changed URL and a server that is down look different there.',
      link: { label: 'Open the alerts', path: '/alerts' },
      command: 'GET /api/v1/alerts/deliveries',
    },
    {
      head: 'Who has to know meanwhile?',
      text: 'Look at what fires yourself, and tell whoever is on call by another way.',
    },
    {
      head: 'Mend it, then send a test.',
      text: 'A secret cannot be changed in place: add the receiver anew, test it, and remove the old one. What still fires is told to the new one.',
    },
  ],
}
