import { CircleCheck, CircleHelp, Hourglass, type LucideIcon } from 'lucide-react'
import { moneyText } from '@/app/_ui/money-text'
import { isAhead } from '@/lib/core/format-figure'
import type { MoneyJson } from '@/lib/core/money'
import type { KeyAction, LockVerdict } from '@/lib/core/states'
import type { LockView } from '@/lib/locks/list-locks'

export type Tone = 'ok' | 'warn' | 'bad' | 'quiet'

export const TONE_INK: Record<Tone, string> = {
  ok: 'text-ok-ink',
  warn: 'text-warn-ink',
  bad: 'text-bad-ink',
  quiet: 'text-ink-2',
}

export const VERB: Record<KeyAction, { name: string; done: string; consequence: string }> = {
  release: {
    name: 'Release',
    done: 'Released',
    consequence: 'The caller may execute again: its next retry takes the key over.',
  },
  complete: {
    name: 'Complete',
    done: 'Completed',
    consequence:
      'The caller’s next retry gets the answer that the handler would have given; nothing runs again.',
  },
  fail: {
    name: 'Fail',
    done: 'Failed',
    consequence: 'The caller’s next retry gets a final failure. This key can never run again.',
  },
}

/** What its store allows, and what comes of a holder that comes back; null = it can no longer write. */
export type StoreRules = { verbs: readonly KeyAction[]; zombie: string | null }

/** What becomes of the old holder is a property of the store. */
export const consequenceOf = (verb: KeyAction, { zombie }: StoreRules): string =>
  zombie === null && verb === 'release'
    ? `${VERB[verb].consequence} The old holder can no longer write.`
    : VERB[verb].consequence

type Answer = LockView['providerAnswer']
/** `text`: in a few words, as a row has room for. `whole`: as it is told where there is room, of an answer without objects. */
type ProviderSays = { text: string; whole?: string; tone: Tone; id?: string }

/** What is shown of the provider's answer. */
export function providerSays(answer: Answer): ProviderSays {
  switch (answer.kind) {
    case 'not_asked':
      return { text: 'not checked', whole: 'not asked', tone: 'quiet' }
    case 'no_provider':
      return { text: 'no provider connected', whole: 'none is connected', tone: 'quiet' }
    case 'none':
      return {
        text: 'no charge found',
        whole: 'has nothing of its time that could be its effect',
        tone: 'quiet',
      }
    case 'found': {
      const [first, ...others] = answer.objects
      if (first === undefined) return { text: 'no charge found', tone: 'quiet' }
      const more = others.length === 0 ? '' : `, ${others.length} more`
      return { id: first.id, text: `${first.status}${more}`, tone: others.length === 0 ? 'warn' : 'bad' }
    }
    case 'possible':
      return { text: `${answer.count} without a key`, tone: 'bad' }
    case 'not_settled':
      return { text: 'too early to say', whole: 'too early to say', tone: 'quiet' }
    case 'unreachable':
      return { text: 'cannot be asked', whole: `did not answer: ${answer.error}`, tone: 'bad' }
    default:
      return answer satisfies never
  }
}

export const VERDICT: Record<LockVerdict, { icon: LucideIcon; tone: Tone }> = {
  release: { icon: CircleCheck, tone: 'ok' },
  complete: { icon: CircleCheck, tone: 'ok' },
  wait: { icon: Hourglass, tone: 'quiet' },
  investigate: { icon: CircleHelp, tone: 'bad' },
}

const WAITS: Partial<Record<LockView['state'], { row: string; title: string }>> = {
  leased: { row: 'Wait: holder alive', title: 'Wait: its holder is alive' },
  retryable: { row: 'Wait: next retry runs', title: 'Nothing to do: the next retry runs it' },
}
const CLOCK_AHEAD = { row: 'Wait: clock ahead', title: 'Wait: its heartbeat is ahead of our clock' }
const TOO_EARLY = { row: 'Wait: too early', title: 'Wait: it is too early to assess' }

const waitLabels = (state: LockView['state']) => WAITS[state] ?? TOO_EARLY

/** Whether a clock ahead of ours stamped it. Such a heartbeat does not show that the holder is alive. */
export const heartbeatIsAhead = ({ heartbeatAt }: Pick<LockView, 'heartbeatAt'>, nowMs: number): boolean =>
  isAhead(nowMs - Date.parse(heartbeatAt))

/** The verdict as the table and the inspector say it. */
export function verdictLabels(
  lock: Pick<LockView, 'verdict' | 'state' | 'providerAnswer' | 'heartbeatAt'>,
  nowMs: number,
) {
  const kind = effectKind(lock.providerAnswer)
  const labels: Record<LockVerdict, { row: string; title: string }> = {
    release: { row: 'Release', title: 'Safe to release' },
    complete: { row: `Complete with ${kind}`, title: `Complete with the provider’s ${kind}` },
    wait: lock.state === 'leased' && heartbeatIsAhead(lock, nowMs) ? CLOCK_AHEAD : waitLabels(lock.state),
    investigate: { row: 'Investigate', title: 'A person has to look' },
  }
  return { ...labels[lock.verdict], ...VERDICT[lock.verdict] }
}

function effectKind(answer: Answer): string {
  const objects = answer.kind === 'found' ? answer.objects : []
  return objects.find(({ status }) => status === 'succeeded')?.kind ?? 'effect'
}

/** "€89.90 succeeded": one object that the provider has. */
export const objectText = ({ amount, status }: { amount: MoneyJson | null; status: string }): string =>
  amount === null ? `amount not readable, ${status}` : `${moneyText(amount)} ${status}`
