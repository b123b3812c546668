import { CircleCheck, CircleDashed, CircleX, LoaderCircle } from 'lucide-react'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Facts } from '@/app/_ui/facts'
import { moneyText } from '@/app/_ui/money-text'
import { Note } from '@/app/_ui/note'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { Time } from '@/app/_ui/time'
import { actionState } from '@/lib/actions/describe-action'
import type { ActionView } from '@/lib/actions/view'
import { type Role, roleAllows, type Verb } from '@/lib/core/permissions'
import type { ActionKind, ActionState } from '@/lib/core/states'
import type { CaseDetail } from '@/lib/reconcile/cases/cases'
import { RESOLUTION } from '@/lib/reconcile/cases/describe-event'
import { FIX, needsSecondPerson } from '@/lib/reconcile/corrections/describe-correction'
import { Decision } from '../../../_decide/decision'
import { ACTION_TONE } from '../../labels'
import { Fixes } from './fixes'

type Person = { id: string; name: string; role: Role }
type Props = {
  found: CaseDetail
  me: string
  people: readonly Person[]
  forbid: (verb: Verb) => string | null
  place: string
}

const IN_FLIGHT: readonly ActionState[] = ['proposed', 'approved', 'executing', 'unknown']

/** What puts it right: who may do it, what exactly happens, and how far it is. */
export function CorrectionCard(props: Props) {
  const { found } = props
  const resolved = found.lifecycle === 'resolved'
  const pending = found.actions.find(({ state }) => IN_FLIGHT.includes(state as ActionState))
  const shown = pending ?? found.actions.find(({ kind }) => kind !== 'ignore' || resolved)
  return (
    <Card id="correction" title="Correction" className="xl:sticky xl:top-16">
      <div className="grid gap-3 px-4 pb-4">
        {resolved && (
          <Note tone="ok">
            {RESOLUTION[found.resolution ?? ''] ?? 'Resolved'}
            {found.resolvedAt !== null && (
              <>
                {' '}
                at <Time at={found.resolvedAt} />
              </>
            )}
            .
          </Note>
        )}
        {shown !== undefined && <Progress {...props} action={shown} pending={pending !== undefined} />}
        {pending === undefined && !resolved && <Fixes {...props} />}
      </div>
    </Card>
  )
}

function ActionFacts({ action, keeps }: { action: ActionView; keeps: readonly string[] }) {
  const { id, kind, charge, amount, evidenceHash } = action
  return (
    <Facts
      facts={[
        { label: 'What', value: FIX[kind as ActionKind].verb },
        { label: 'Of', value: charge !== null && <ShortId id={charge} /> },
        { label: 'Amount', value: amount !== null && moneyText(amount) },
        { label: 'Keeps', value: keeps.length > 0 && keeps.map((each) => <ShortId key={each} id={each} />) },
        {
          label: 'Action id',
          value: (
            <PageLink href={`/audit?subject=${id}`} look="link">
              <ShortId id={id} />
            </PageLink>
          ),
        },
        { label: 'Evidence', value: evidenceHash !== null && <ShortId id={`sha256 ${evidenceHash}`} /> },
      ]}
    />
  )
}

type ProgressProps = Props & { action: ActionView; pending: boolean }

/** What is done, by whom and why, and how far it is; while it is in flight also what it means, and who decides. */
function Progress(props: ProgressProps) {
  const { found, action, people, pending } = props
  const proposer = people.find(({ id }) => id === action.proposer)?.name ?? action.proposer ?? 'the system'
  const keeps =
    pending && action.kind === 'refund' ? found.subject.effectIds.filter((id) => id !== action.charge) : []
  return (
    <>
      {pending && <p className="text-ink-2">{FIX[action.kind as ActionKind].consequence}</p>}
      <ActionFacts action={action} keeps={keeps} />
      <div className="rounded-m border border-line px-3 py-2.5">
        <p className="flex items-center justify-between gap-2">
          <Badge tone={ACTION_TONE[action.state as ActionState]}>{actionState(action)}</Badge>
          {pending && <Time at={action.createdAt} kind="age" className="text-ink-3" />}
        </p>
        <p className="mt-1.5 text-ink-2">
          Proposed by {proposer}: “{action.reason}”.
          {action.state === 'unknown' && ' Its outcome is being read back.'}
          {action.state === 'refused' && ' Nothing was done.'}
          {pending && ' Everything is read again before it runs; it is aborted when anything changed.'}
        </p>
      </div>
      <CorrectionSteps action={action} people={people} />
      {action.state === 'proposed' && <Decide {...props} keeps={keeps} />}
    </>
  )
}

/** Said until the second person has it before them. */
const SECOND_PERSON = / (?:It moves only after a|A) second person approves\./

function Decide(props: ProgressProps & { keeps: readonly string[] }) {
  const { action, me, people, forbid, place, keeps } = props
  const words = FIX[action.kind as ActionKind]
  const mine = action.proposer === me
  const forbidden = forbid('action.approve')
  const what = action.amount === null ? words.noun : `${words.noun} of ${moneyText(action.amount)}`
  return (
    <>
      <Decision
        action={action}
        me={me}
        forbidden={forbidden}
        what={words.noun}
        leads={{
          withdraw: 'Nothing was done yet, and nothing will be. You can propose again.',
          reject: 'Nothing is done. The case stays open and another correction can be proposed.',
        }}
        approval={{
          opener: `Approve ${what}`,
          title: `Approve the ${what} in ${place}`,
          lead: words.consequence.replace(SECOND_PERSON, ' It cannot be taken back.'),
          confirm: `Approve 1 ${words.noun} in ${place}`,
          typed: { label: 'How many', expected: '1' },
        }}
      >
        <ActionFacts action={action} keeps={keeps} />
      </Decision>
      <p className="text-ink-2 text-s">{whoDecides(action, people, mine, forbidden)}</p>
    </>
  )
}

function whoDecides(
  action: ActionView,
  people: readonly Person[],
  mine: boolean,
  forbidden: string | null,
): string {
  const others = people
    .filter(({ id, role }) => id !== action.proposer && roleAllows(role, 'action.approve'))
    .map(({ name }) => name)
    .join(', ')
  if (mine)
    return `You proposed this. Someone else with the approver role can approve it: ${others || 'there is nobody yet'}.`
  return forbidden === null
    ? 'Approving sends it after 10 s, in which you can abort.'
    : `${forbidden}: ${others || 'nobody has it yet'}.`
}

const PROGRESS = {
  done: { icon: CircleCheck, ink: 'text-processing', said: 'done' },
  now: { icon: LoaderCircle, ink: 'text-warning', said: 'in progress' },
  open: { icon: CircleDashed, ink: 'text-ink-3', said: 'not yet' },
  stopped: { icon: CircleX, ink: 'text-bad', said: 'stopped here' },
} as const
type Progress = keyof typeof PROGRESS

/** How far each state is: approval, execution, verification. A new state breaks the build. */
const PLACE: Record<ActionState, readonly [Progress, Progress, Progress]> = {
  proposed: ['now', 'open', 'open'],
  approved: ['done', 'now', 'open'],
  executing: ['done', 'now', 'open'],
  unknown: ['done', 'now', 'open'],
  done: ['done', 'done', 'done'],
  refused: ['done', 'stopped', 'open'],
  failed: ['done', 'stopped', 'open'],
  rejected: ['stopped', 'open', 'open'],
  expired: ['stopped', 'open', 'open'],
}

/** Proposal → approval → execution → verification, with who and when. */
function CorrectionSteps({ action, people }: { action: ActionView; people: readonly Person[] }) {
  const [approval, execution, verification] = PLACE[action.state as ActionState]
  const name = (id: string | null) => people.find((person) => person.id === id)?.name ?? null
  const steps: { title: string; progress: Progress; who: string | null; at: string | null }[] = [
    { title: 'Proposal', progress: 'done', who: name(action.proposer), at: action.createdAt },
    ...(needsSecondPerson(action.kind as ActionKind)
      ? [{ title: 'Approval', progress: approval, who: name(action.approver), at: action.approvedAt }]
      : []),
    {
      title: 'Execution',
      progress: execution,
      who: null,
      at: execution === 'done' ? action.finishedAt : action.executedAt,
    },
    { title: 'Verification', progress: verification, who: null, at: null },
  ]
  return (
    <ol aria-label="Steps of the correction" className="grid gap-1.5">
      {steps.map(({ title, progress, who, at }) => {
        const { icon: Icon, ink, said } = PROGRESS[progress]
        return (
          <li key={title} className="flex items-center gap-2">
            <Icon size={15} aria-hidden="true" className={`shrink-0 ${ink}`} />
            <span>
              {title}
              <span className="sr-only">, {said}</span>
            </span>
            <span className="ml-auto text-ink-3 text-s">
              {who}
              {who !== null && at !== null && ', '}
              {at !== null && <Time at={at} kind="seconds" />}
            </span>
          </li>
        )
      })}
    </ol>
  )
}
