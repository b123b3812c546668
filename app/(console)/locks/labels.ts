import { moneyText } from '@/app/_ui/money-text'
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
    consequence:
      'The caller may execute again: its next retry takes the key over. The old holder can no longer write.',
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

/** What is shown of the provider's answer, in a few words. */
export function providerSays(answer: LockView['providerAnswer']): { text: string; tone: Tone; id?: string } {
  switch (answer.kind) {
    case 'not_asked':
      return { text: 'not checked', tone: 'quiet' }
    case 'no_provider':
      return { text: 'no provider connected', tone: 'quiet' }
    case 'none':
      return { text: 'no charge found', tone: 'quiet' }
    case 'found': {
      const [first, ...others] = answer.objects
      if (first === undefined) return { text: 'no charge found', tone: 'quiet' }
      const more = others.length === 0 ? '' : `, ${others.length} more`
      return { id: first.id, text: `${first.status}${more}`, tone: others.length === 0 ? 'warn' : 'bad' }
    }
    case 'possible':
      return { text: `${answer.count} without a key`, tone: 'bad' }
    case 'not_settled':
      return { text: 'too early to say', tone: 'quiet' }
    case 'unreachable':
      return { text: 'cannot be asked', tone: 'bad' }
    default:
      return answer satisfies never
  }
}

type VerdictWords = { row: string; title: string; tone: Tone }

const WAITS: Partial<Record<LockView['state'], VerdictWords>> = {
  leased: { row: 'Wait: holder alive', title: 'Wait: its holder is alive', tone: 'quiet' },
  retryable: { row: 'Wait: next retry runs', title: 'Nothing to do: the next retry runs it', tone: 'quiet' },
}

/** The verdict as the table and the inspector say it. */
export function verdictLabels(lock: Pick<LockView, 'verdict' | 'state' | 'providerAnswer'>): VerdictWords {
  const { verdict, state, providerAnswer } = lock
  const words: Record<LockVerdict, VerdictWords> = {
    release: { row: 'Release', title: 'Safe to release', tone: 'ok' },
    complete: completeWords(providerAnswer),
    wait: WAITS[state] ?? { row: 'Wait: too early', title: 'Wait: it is too early to assess', tone: 'quiet' },
    investigate: { row: 'Investigate', title: 'A person has to look', tone: 'bad' },
  }
  return words[verdict]
}

function completeWords(answer: LockView['providerAnswer']): VerdictWords {
  const effect =
    answer.kind === 'found' ? answer.objects.find(({ status }) => status === 'succeeded') : undefined
  const kind = effect?.kind ?? 'effect'
  return { row: `Complete with ${kind}`, title: `Complete with the provider’s ${kind}`, tone: 'ok' }
}

/** "€89.90 succeeded": one object that the provider has. */
export const objectText = ({ amount, status }: { amount: MoneyJson | null; status: string }): string =>
  amount === null ? `amount not readable, ${status}` : `${moneyText(amount)} ${status}`
