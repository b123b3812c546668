import type { UserContext } from '@/app/_server/context'
import { ActDialog } from '@/app/_ui/act-dialog'
import { Facts } from '@/app/_ui/facts'
import { fieldClass } from '@/app/_ui/field'
import { moneyText } from '@/app/_ui/money-text'
import { ShortId } from '@/app/_ui/short-id'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import type { CaseDetail } from '@/lib/reconcile/cases/cases'
import { FIX } from '../../words'
import { proposeFix } from './act'
import { choicesFor, decidedRefund } from './choices'

/** Before anybody proposes: what exactly would go back, and what stays. */
function RefundFacts({ found }: { found: CaseDetail }) {
  const decided = decidedRefund(found)
  if (decided === null)
    return (
      <p className="rounded-m bg-warn-soft px-3 py-2 text-warn-ink">
        Record and ledger do not decide which one is the surplus: you choose when you propose.
      </p>
    )
  return (
    <Facts
      facts={[
        { label: 'Refund', value: <ShortId id={decided.refund} /> },
        ...(found.amount === null ? [] : [{ label: 'Amount', value: moneyText(found.amount) }]),
        { label: 'Keeps', value: decided.keeps.map((id) => <ShortId key={id} id={id} />) },
        { label: 'Evidence', value: <ShortId id={`sha256 ${found.evidenceHash}`} /> },
      ]}
    />
  )
}

type Props = { found: CaseDetail; actor: UserContext['actor']; environment: string }

/** What may be proposed, or done at once, as the case's class allows. */
export function Fixes({ found, actor, environment }: Props) {
  const forbidden = roleAllows(actor.role, 'case.propose')
    ? null
    : `Needs the ${leastRoleFor('case.propose')} role`
  const [first, ...others] = found.fixes
  const place = environment.toUpperCase()
  const onlyIgnore = first === 'ignore'
  return (
    <>
      <p className="text-ink-2">
        {onlyIgnore || first === undefined
          ? 'There is no safe correction from here: a person has to look into it, then close the case.'
          : FIX[first].consequence}
      </p>
      {found.notOffered.map(({ kind, reason }) => (
        <p key={kind} className="rounded-m bg-warn-soft px-3 py-2 text-warn-ink">
          {FIX[kind].verb} is not offered. {reason}
        </p>
      ))}
      {first === 'refund' && <RefundFacts found={found} />}
      <div className="flex flex-wrap justify-end gap-2">
        {[...others, ...(first === undefined ? [] : [first])].map((kind) => {
          const words = FIX[kind]
          const choices = choicesFor(found, kind)
          const amount = kind !== 'ignore' && found.amount !== null ? ` of ${moneyText(found.amount)}` : ''
          const verb = words.fourEyes ? `Propose ${words.noun}` : words.verb
          return (
            <ActDialog
              key={kind}
              opener={kind === first && words.fourEyes ? `${verb}${amount}` : verb}
              openerLook={kind === first && !onlyIgnore ? 'primary' : 'plain'}
              forbidden={forbidden}
              title={`${verb}${amount} in ${place}`}
              lead={words.consequence}
              tone={kind === 'ignore' || kind === 'release' || kind === 'fail' ? 'danger' : 'plain'}
              confirm={words.fourEyes ? `${verb} in ${place}` : `${words.verb}: 1 case in ${place}`}
              withReason
              act={proposeFix.bind(null, found.id, kind)}
            >
              {choices.length > 0 && (
                <label className="block">
                  <span className="mb-1 block font-medium">Which one? Record and ledger do not decide.</span>
                  <select name="charge" required defaultValue="" className={fieldClass}>
                    <option value="" disabled>
                      Choose
                    </option>
                    {choices.map(({ id, label }) => (
                      <option key={id} value={id}>
                        {label}
                      </option>
                    ))}
                  </select>
                </label>
              )}
            </ActDialog>
          )
        })}
      </div>
    </>
  )
}
