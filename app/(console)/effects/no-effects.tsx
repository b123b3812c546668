import { EmptyState } from '@/app/_ui/empty-state'
import type { EffectKind } from '@/lib/effects/list-effects'

/** None is an answer only where effects are seen at all. */
export function NoEffects({ kind, measured }: { kind: EffectKind; measured: boolean }) {
  if (!measured) {
    return (
      <EmptyState kind="waiting" title="Not measured: no effect was seen">
        Services tell their effects with <code className="font-mono text-s">idempotency.effect.*</code> on the
        client span that causes one. Choose a wider range if they did before.
      </EmptyState>
    )
  }
  return (
    <EmptyState kind="none" title={kind === 'duplicate' ? 'No duplicate in this range' : 'No orphan is open'}>
      {kind === 'duplicate'
        ? 'Every effect that was seen happened once.'
        : 'Every effect belongs to a key that ended, or that still may.'}
    </EmptyState>
  )
}
