import { ActionDialog } from '@/app/_ui/action-dialog'
import { Facts } from '@/app/_ui/facts'
import { SelectField } from '@/app/_ui/field'
import { moneyText } from '@/app/_ui/money-text'
import { Note } from '@/app/_ui/note'
import { ShortId } from '@/app/_ui/short-id'
import type { Verb } from '@/lib/core/permissions'
import type { CaseDetail } from '@/lib/reconcile/cases/cases'
import { FIX, needsSecondPerson } from '@/lib/reconcile/corrections/describe-correction'
import { decidedRefund, type RefundChoice, refundChoices } from '@/lib/reconcile/corrections/refund-choice'
import { proposeFix } from './actions'

/** Before anybody proposes: what exactly would go back, and what stays. */
function RefundFacts({ found }: { found: CaseDetail }) {
  const decided = decidedRefund(found)
  if (decided === null)
    return (
      <Note tone="warn">
        Record and ledger do not decide which one is the duplicate: you choose when you propose.
      </Note>
    )
  return (
    <Facts
      facts={[
        { label: 'Refund', value: <ShortId id={decided.refund} /> },
        { label: 'Amount', value: found.amount !== null && moneyText(found.amount) },
        { label: 'Keeps', value: decided.keeps.map((id) => <ShortId key={id} id={id} />) },
        { label: 'Evidence', value: <ShortId id={`sha256 ${found.evidenceHash}`} /> },
      ]}
    />
  )
}

type Props = {
  found: CaseDetail
  /** Why this person may not do what it needs. */
  forbid: (verb: Verb) => string | null
  place: string
}

/** What may be proposed, or done at once, as the case's class allows. */
export function Fixes({ found, forbid, place }: Props) {
  const [first, ...others] = found.fixes
  const onlyIgnore = first === 'ignore'
  return (
    <>
      <p className="text-ink-2">
        {onlyIgnore || first === undefined
          ? 'There is no safe correction from here: a person has to look into it, then close the case.'
          : FIX[first].consequence}
      </p>
      {found.notOffered.map(({ kind, reason }) => (
        <Note key={kind} tone="warn">
          {FIX[kind].verb} is not offered. {reason}
        </Note>
      ))}
      {first === 'refund' && <RefundFacts found={found} />}
      <div className="flex flex-wrap justify-end gap-2">
        {[...others, ...(first === undefined ? [] : [first])].map((kind) => {
          const words = FIX[kind]
          const waits = needsSecondPerson(kind)
          const choices = kind === 'refund' ? refundChoices(found) : []
          const amount = kind !== 'ignore' && found.amount !== null ? ` of ${moneyText(found.amount)}` : ''
          const verb = waits ? `Propose ${words.noun}` : words.verb
          return (
            <ActionDialog
              key={kind}
              opener={kind === first && waits ? `${verb}${amount}` : verb}
              openerLook={kind === first && !onlyIgnore ? 'primary' : 'plain'}
              forbidden={forbid('case.propose')}
              title={`${verb}${amount} in ${place}`}
              lead={words.consequence}
              tone={kind === 'ignore' || kind === 'release' || kind === 'fail' ? 'danger' : 'plain'}
              confirm={waits ? `${verb} in ${place}` : `${words.verb}: 1 case in ${place}`}
              withReason
              action={proposeFix.bind(null, found.id, kind)}
            >
              {choices.length > 0 && (
                <SelectField
                  name="charge"
                  label="Which one? Record and ledger do not decide."
                  required
                  defaultValue=""
                  choices={[
                    { value: '', label: 'Choose', disabled: true },
                    ...choices.map((choice) => ({ value: choice.id, label: choiceText(choice) })),
                  ]}
                />
              )}
            </ActionDialog>
          )
        })}
      </div>
    </>
  )
}

/** "ch_1, €89.90, 02:43:11 UTC, named by record and ledger" */
const choiceText = ({ id, amount, createdAt, namedBy }: RefundChoice): string => {
  const when = createdAt === null ? '' : `, ${createdAt.slice(11, 19)} UTC`
  return `${id}, ${moneyText(amount)}${when}, named by ${namedBy.join(' and ') || 'nobody'}`
}
