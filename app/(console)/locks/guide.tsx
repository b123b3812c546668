import { CircleCheck, CircleHelp, Hourglass, type LucideIcon } from 'lucide-react'
import { classNames } from '@/app/_ui/class-names'
import { TONE_INK, type Tone, VERB } from './labels'
import type { StuckFacts } from './tally'

type Line = { icon: LucideIcon; tone: Tone; name: string; count: number; text: string }

/** What the verdicts mean, and how many stuck locks have each: beside the table while no lock is open. */
export function Guide({ facts }: { facts: StuckFacts }) {
  const lines: Line[] = [
    {
      icon: CircleCheck,
      tone: 'ok',
      name: 'Release',
      count: facts.release,
      text: `The holder is gone and the provider has nothing of the key. ${VERB.release.consequence}`,
    },
    {
      icon: CircleCheck,
      tone: 'ok',
      name: 'Complete',
      count: facts.complete,
      text: `The provider has the effect. ${VERB.complete.consequence}`,
    },
    {
      icon: CircleHelp,
      tone: 'bad',
      name: 'Investigate',
      count: facts.investigate,
      text: 'The evidence is open or contradicts itself. Open the lock and read why.',
    },
    {
      icon: Hourglass,
      tone: 'quiet',
      name: 'Wait',
      count: facts.wait,
      text: 'Too early to assess, or its holder is alive. It changes by itself.',
    },
  ]
  return (
    <aside
      aria-label="Verdicts"
      className="min-w-0 rounded-m border border-line bg-surface px-4 pt-3.5 pb-2 shadow-card max-xl:hidden"
    >
      <h2 className="font-semibold text-l">What the verdicts mean</h2>
      <p className="mt-0.5 mb-2 text-ink-2 text-s">Open a lock to see its evidence and to act on it.</p>
      <dl>
        {lines.map(({ icon: Icon, tone, name, count, text }) => (
          <div key={name} className="border-line border-t py-2.5">
            <dt className={classNames('flex items-center gap-1.5 font-medium', TONE_INK[tone])}>
              <Icon size={14} aria-hidden="true" className="shrink-0" /> {name}
              <span className="ml-auto font-semibold text-ink">{count.toLocaleString('en-US')}</span>
            </dt>
            <dd className="mt-0.5 text-ink-2 text-s">{text}</dd>
          </div>
        ))}
      </dl>
    </aside>
  )
}
