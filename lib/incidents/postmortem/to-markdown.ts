import { countText, durationText, percentText } from '@/lib/core/format-figure'
import {
  INCIDENT_ROLE_LABEL,
  INCIDENT_SEVERITY_MEANING,
  INCIDENT_STATUS_LABEL,
} from '@/lib/core/incident-states'
import { formatMoneyList, type MoneyJson } from '@/lib/core/money'
import { MONEY_ENDS, type MoneyEnd } from '../case-money'
import { escaped, quoted } from './escape'
import type { Postmortem } from './read-postmortem'

/** The postmortem for people. Whatever others wrote is text in it, and nothing else. */
export function toMarkdown(postmortem: Postmortem): string {
  const { incident } = postmortem
  const sections: [heading: string, text: string][] = [
    ['Summary', summary(postmortem)],
    ['Detection and mitigation', times(postmortem)],
    [
      'Cause',
      incident.cause === null ? 'Not written yet: closing the incident asks for it.' : quoted(incident.cause),
    ],
    ['Money', money(postmortem)],
    ['Objectives', objectives(postmortem)],
    ['Affected callers', affected(postmortem)],
    ['Checklist', checklist(postmortem)],
    ['Alerts', alerts(postmortem)],
    ['Time line', timeline(postmortem)],
    ['Actions', actions(postmortem)],
    ['Follow-ups', followUps(postmortem)],
  ]
  return [
    `# Postmortem: ${escaped(incident.title)}`,
    ...sections.map(([heading, text]) => `## ${heading}\n\n${text}`),
    `Written ${moment(postmortem.writtenAt)} from ${postmortem.url}, by the facts that were stored then.`,
    '',
  ].join('\n\n')
}

const moment = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${heads.join(' | ')} |`,
    `|${heads.map(() => ' --- |').join('')}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n')
const moneyText = (amounts: readonly MoneyJson[]): string =>
  formatMoneyList(amounts.filter(({ minor }) => minor !== '0')) || 'none'

function summary({ incident, environment, range }: Postmortem): string {
  const { severity, status, roles } = incident
  return table(
    ['', ''],
    [
      ['Incident', incident.id],
      ['Status', INCIDENT_STATUS_LABEL[status]],
      ['Severity', `${severity.toUpperCase()}: ${INCIDENT_SEVERITY_MEANING[severity]}`],
      ['Environment', escaped(environment)],
      ['System', incident.system === null ? 'not known' : escaped(incident.system)],
      [
        'Opened',
        `${moment(incident.openedAt)} by ${incident.openedBy === null ? 'an alert' : escaped(incident.openedBy)}`,
      ],
      ['Closed', incident.closedAt === null ? 'not yet' : moment(incident.closedAt)],
      ['Looked at', `${moment(range.from)} to ${moment(range.to)}`],
      ...roles.map(({ role, name }): [string, string] => [INCIDENT_ROLE_LABEL[role], escaped(name)]),
    ],
  )
}

function times({ incident }: Postmortem): string {
  const { beganAt, openedAt, acknowledgedAt, acknowledgedBy, mitigatedAt, times: took } = incident
  const at = (value: string | null) => (value === null ? 'not known' : moment(value))
  const ms = (value: number | null) => (value === null ? 'not known' : durationText(value))
  const by = acknowledgedBy === null ? '' : ` by ${escaped(acknowledgedBy)}`
  return table(
    ['', 'At', 'Took'],
    [
      ['Began, as far as its alerts know', at(beganAt), ''],
      ['Detected', moment(openedAt), ms(took.detectMs)],
      ['Acknowledged', `${at(acknowledgedAt)}${by}`, ms(took.acknowledgeMs)],
      ['Mitigated', at(mitigatedAt), ms(took.mitigateMs)],
    ],
  )
}

const END_TEXT: Record<MoneyEnd, string> = {
  refunded: 'Refunded',
  mended: 'Mended otherwise',
  lost: 'Lost: closed without a correction',
  open: 'Still open',
}

function money({ money: found }: Postmortem): string {
  if (found === null) return 'Not known: nothing was ever reconciled.'
  const rows = MONEY_ENDS.map((end) => [
    END_TEXT[end],
    countText(found.cases[end]),
    moneyText(found.amounts[end]),
  ])
  const all = MONEY_ENDS.reduce((sum, end) => sum + found.cases[end], 0)
  return `Of the cases that were confirmed in this time, each once.\n\n${table(
    ['What became of it', 'Cases', 'Amount'],
    [...rows, ['Found', countText(all), moneyText(found.found)]],
  )}`
}

function objectives({ objectives: each }: Postmortem): string {
  return table(
    ['Objective', 'In this time', 'Target', 'Used of the budget of 30 days'],
    each.map(({ id, name, value, unit, target, reason, budgetUsed }) => [
      `${id} ${name}`,
      value === null ? `not measured${reason === null ? '' : `: ${escaped(reason)}`}` : rate(value, unit),
      target === null ? '' : rate(target, unit),
      budgetUsed === null ? 'not measured' : `${percentText(budgetUsed)} %`,
    ]),
  )
}

const rate = (value: number, unit: string): string =>
  unit === 'ratio'
    ? `${percentText(value)} %`
    : `${value.toLocaleString('en-US', { maximumSignificantDigits: 3 })} ${unit}`

function affected({ affected: { items, beyond, more } }: Postmortem): string {
  if (items.length === 0)
    return more
      ? 'Not all could be read; of what was, none.'
      : 'None has an effect twice, an orphan, a stuck key or a case.'
  const rows = items.map((each) => [
    each.client === '' ? 'no name' : escaped(each.client),
    escaped(each.endpoint),
    countText(each.twice),
    countText(each.orphans),
    countText(each.stuck),
    countText(each.cases),
    moneyText(each.effectMoney),
    moneyText(each.caseMoney),
  ])
  const heads = [
    'Caller',
    'Endpoint',
    'Effects twice',
    'Orphans',
    'Stuck keys',
    'Cases',
    'Behind effects',
    'Behind cases',
  ]
  const rest = [
    ...(beyond > 0 ? [`${countText(beyond)} more callers.`] : []),
    ...(more ? ['Not all was read: figures are at least these.'] : []),
  ]
  return [table(heads, rows), ...rest].join('\n\n')
}

const checklist = ({ checklist: questions }: Postmortem): string =>
  questions.map(({ question, answers }) => `- **${question}** ${answers.map(escaped).join(' ')}`).join('\n')

function alerts({ alerts: each }: Postmortem): string {
  if (each.length === 0) return 'None: it was opened by hand, and none joined it.'
  return table(
    ['Alert', 'Severity', 'Since', 'Cleared', 'Raised', 'Figures'],
    each.map(({ text, severity, since, clearedAt, times: raised, figures }) => [
      escaped(text),
      severity,
      moment(since),
      clearedAt === null ? 'fires' : moment(clearedAt),
      `${raised}×`,
      escaped(figures),
    ]),
  )
}

function timeline({ timeline: events, timelineCut, gaps }: Postmortem): string {
  const lines = events.map(({ at, text, detail, by, clock }) => {
    const who = by === null ? '' : ` (${escaped(by)})`
    const stamped = clock === 'service' ? ' [by the clock of the service]' : ''
    return `- ${moment(at)} ${escaped(text)}${who}${detail === '' ? '' : `: ${escaped(detail)}`}${stamped}`
  })
  const blind = gaps.map(
    ({ from, to, text }) => `- ${moment(from)} to ${to === null ? 'now' : moment(to)}: ${escaped(text)}`,
  )
  return [
    ...(timelineCut ? ['Only the latest events; the console has all.'] : []),
    lines.length === 0 ? 'Nothing is known of this time.' : lines.join('\n'),
    blind.length === 0 ? 'No gap is known.' : `Gaps, in which less was seen:\n\n${blind.join('\n')}`,
  ].join('\n\n')
}

const actions = ({ actions: done }: Postmortem): string =>
  done.length === 0
    ? 'None.'
    : table(
        ['At', 'What', 'By', 'Why'],
        done.map(({ at, text, by, detail }) => [
          moment(at),
          escaped(text),
          by === null ? 'the console' : escaped(by),
          escaped(detail),
        ]),
      )

const followUps = ({ incident: { followUps: each, status } }: Postmortem): string =>
  each.length > 0
    ? each.map((text) => `- [ ] ${escaped(text)}`).join('\n')
    : status === 'closed'
      ? 'None.'
      : 'Not written yet.'
