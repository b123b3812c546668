import { classNames } from '@/app/_ui/class-names'
import { countText } from '@/lib/core/format-figure'
import type { LockVerdict } from '@/lib/core/states'
import type { StuckLocks } from '@/lib/locks/count-locks'
import { TONE_INK, VERB, VERDICT } from './labels'

const MEANING: readonly { verdict: LockVerdict; name: string; text: string }[] = [
  {
    verdict: 'release',
    name: 'Release',
    text: `The holder is gone and the provider has nothing of the key. ${VERB.release.consequence}`,
  },
  {
    verdict: 'complete',
    name: 'Complete',
    text: `The provider has the effect. ${VERB.complete.consequence}`,
  },
  {
    verdict: 'investigate',
    name: 'Investigate',
    text: 'The evidence is open or contradicts itself. Open the lock and read why.',
  },
  {
    verdict: 'wait',
    name: 'Wait',
    text: 'Too early to assess, or its holder is alive. It changes by itself.',
  },
]

/**
 * What the verdicts mean, and how many stuck locks have each (null = no store was read): beside the table while no lock
 * is open.
 */
export function Guide({ counts }: { counts: StuckLocks['byVerdict'] | null }) {
  return (
    <aside
      aria-label="Verdicts"
      className="min-w-0 rounded-m border border-line bg-surface px-4 pt-3.5 pb-2 shadow-card max-xl:hidden"
    >
      <h2 className="font-semibold text-l">What the verdicts mean</h2>
      <p className="mt-0.5 mb-2 text-ink-2 text-s">Open a lock to see its evidence and to act on it.</p>
      <dl>
        {MEANING.map(({ verdict, name, text }) => {
          const { icon: Icon, tone } = VERDICT[verdict]
          return (
            <div key={verdict} className="border-line border-t py-2.5">
              <dt className={classNames('flex items-center gap-1.5 font-medium', TONE_INK[tone])}>
                <Icon size={14} aria-hidden="true" className="shrink-0" /> {name}
                {counts !== null && (
                  <span className="ml-auto font-semibold text-ink">{countText(counts[verdict])}</span>
                )}
              </dt>
              <dd className="mt-0.5 text-ink-2 text-s">{text}</dd>
            </div>
          )
        })}
      </dl>
    </aside>
  )
}
