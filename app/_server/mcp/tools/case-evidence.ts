import { z } from 'zod'
import { listUsers } from '@/lib/access/users'
import { CASE_CLASSES } from '@/lib/core/case-classes'
import { namesOf } from '@/lib/core/names'
import { getCase } from '@/lib/reconcile/cases/cases'
import {
  type Cell,
  compareSides,
  type FieldRow,
  SIDES,
  type SideName,
} from '@/lib/reconcile/cases/compare-sides'
import { eventSentence } from '@/lib/reconcile/cases/describe-event'
import { moneyRows } from '@/lib/reconcile/cases/money-rows'
import { readCaseSides } from '@/lib/reconcile/cases/read-case-sides'
import { fixVerb } from '@/lib/reconcile/corrections/describe-correction'
import { text } from '../../api/inputs'
import type { Item } from '../compose'
import { quote } from '../quote'
import { tool } from '../tool'
import { casePath } from './describe-case'
import { amountText } from './describe-lock'

export const caseEvidence = tool({
  name: 'case_evidence',
  title: 'A case with its evidence',
  description:
    'One reconciliation case: what store, ledger and provider say field by field and whether they agree, what became of the money of its charge, its actions and history. Case ids begin with case_.',
  input: z.strictObject({ id: text.describe('The id of the case, e.g. from find_key or incident_brief') }),
  async read(ctx, { id }) {
    const found = await getCase(ctx.db, id)
    const [sides, users] = await Promise.all([readCaseSides(ctx.db, id), listUsers(ctx.db)])
    const { aspect } = CASE_CLASSES[found.class]
    const { scope, key, reference } = found.subject
    const path = casePath(found)
    const names = namesOf(users)
    const named = [
      ['key', key],
      ['scope', scope],
      ['reference', reference],
    ] as const
    return {
      title: `${found.severity} ${found.title}`,
      path,
      lines: [
        `${found.amount === null ? 'No amount' : `${amountText(found.amount)} at risk`}; ${found.outcome}, ${found.lifecycle}, ${found.triage}; opened ${found.firstSeen}, last seen ${found.lastSeen}.`,
        named.flatMap(([name, value]) => (value === null ? [] : [`${name} ${quote(value)}`])).join(', '),
        `A person may propose there: ${found.fixes.map(fixVerb).join(', ') || 'nothing'}. Another person approves.`,
      ],
      data: {
        id,
        class: found.class,
        severity: found.severity,
        lifecycle: found.lifecycle,
        triage: found.triage,
        amount: found.amount,
        subject: { scope, key, reference },
      },
      sections: [
        {
          name: 'sides',
          heading: 'What the sides say',
          items: compareSides(sides, aspect).map(sideItem),
          path,
        },
        {
          name: 'money',
          heading: 'Money of the charge',
          items: moneyRows(found.evidence).flatMap(moneyItems),
          path,
        },
        {
          name: 'actions',
          heading: 'Actions, newest first',
          items: found.actions.map(({ id: action, kind, state, amount, createdAt }) => ({
            text: `${createdAt} ${fixVerb(kind)}: ${state}${amount === null ? '' : `, ${amountText(amount)}`}`,
            data: { id: action, kind, state },
          })),
          path,
        },
        {
          name: 'history',
          heading: 'History, newest first',
          items: found.events.map((event) => {
            const says = eventSentence(event, names)
            return { text: `${event.at} ${quote(says)}`, data: { at: event.at, says } }
          }),
          path,
        },
      ],
    }
  },
})

const SIDE_NAME: Record<SideName, string> = { intent: 'store', ledger: 'ledger', provider: 'provider' }

const AGREES = { true: 'agree', false: 'DIFFER', null: 'nothing to compare' } as const

const sideItem = ({ field, cells, agrees }: FieldRow): Item => ({
  text: `${field}: ${SIDES.map((side) => `${SIDE_NAME[side]} ${cellText(cells[side])}`).join('; ')} (${AGREES[`${agrees}`]})`,
  data: {
    field,
    ...Object.fromEntries(SIDES.map((side) => [SIDE_NAME[side], cellText(cells[side])])),
    agrees,
  },
})

const IDS_MAX = 3

function cellText(cell: Cell): string {
  switch (cell.kind) {
    case 'text':
      return quote(cell.text)
    case 'ids':
      return `${few(cell.ids.map(quote))}${cell.note === undefined ? '' : ` ${cell.note}`}`
    case 'times':
      return few(cell.at)
    case 'not_carried':
      return 'does not carry it'
    case 'nothing':
      return 'nothing'
    case 'no_source':
      return 'is not connected'
    default:
      return cell satisfies never
  }
}

const few = (values: readonly string[]): string =>
  [...values.slice(0, IDS_MAX), ...(values.length > IDS_MAX ? [`${values.length - IDS_MAX} more`] : [])].join(
    ', ',
  )

const moneyItems = ({ charge, rows }: ReturnType<typeof moneyRows>[number]): Item[] =>
  rows.map(({ what, id, amount, explanation, attention }) => ({
    text: `${quote(charge)} ${what}${id === null ? '' : ` ${quote(id)}`}: ${amount}${explanation === '' ? '' : `. ${quote(explanation)}`}${attention ? ' (look)' : ''}`,
    data: { charge, what, id, amount, attention },
  }))
