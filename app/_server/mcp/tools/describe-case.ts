import type { CaseView } from '@/lib/reconcile/cases/case-view'
import type { Item } from '../compose'
import { quote } from '../quote'
import { amountText } from './describe-lock'

export const casePath = ({ id }: Pick<CaseView, 'id'>): string => `/reconciliation/cases/${id}`

export const caseItem = (found: CaseView, origin: string): Item => ({
  text: `${found.severity} ${found.title}${found.amount === null ? '' : `, ${amountText(found.amount)}`}: ${found.lifecycle}, ${found.triage}${found.subject.reference === null ? '' : `, reference ${quote(found.subject.reference)}`}. ${origin}${casePath(found)}`,
  data: {
    id: found.id,
    class: found.class,
    severity: found.severity,
    lifecycle: found.lifecycle,
    triage: found.triage,
    amount: found.amount,
  },
})
