import { CircleCheck, CircleDashed, CircleX, LoaderCircle } from 'lucide-react'
import { Time } from '@/app/_ui/time'
import type { ActionView } from '@/lib/actions/view'
import type { ActionKind, ActionState } from '@/lib/core/states'
import { needsSecondPerson } from '../../labels'

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

type Person = { id: string; name: string }

/** Proposal → approval → execution → verification, with who and when. */
export function CorrectionSteps({ action, people }: { action: ActionView; people: readonly Person[] }) {
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
