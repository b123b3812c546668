import { Badge } from '@/app/_ui/badge'
import { shortId } from '@/app/_ui/identifier'
import { moneyText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import type { Cause, EffectLine } from '@/lib/effects/causes'

const LINES_SHOWN = 100

/** The effects of one cause, each with the way to its key, its case and its trace. */
export function CausePanel({ cause, keyIds }: { cause: Cause; keyIds: Record<string, string> }) {
  const shown = cause.effects.slice(0, LINES_SHOWN)
  return (
    <aside
      aria-label="Effects of the cause"
      className="min-w-0 rounded-m border border-line bg-surface shadow-card xl:sticky xl:top-15 xl:max-h-[calc(100dvh-76px)] xl:overflow-y-auto"
    >
      <header className="px-4 pt-3.5 pb-2">
        <h2 className="font-semibold text-l">
          {cause.operation} · {cause.effect}
        </h2>
        <p className="text-ink-2 text-s">
          {cause.build ?? 'no span told the version'} · {plural(cause.effects.length, 'effect')} on{' '}
          {plural(cause.keys, 'key')}, since <Time at={cause.firstAt} />
        </p>
      </header>
      <ul>
        {shown.map((line) => (
          <EffectItem key={line.id} line={line} keyId={keyIds[line.id] ?? null} />
        ))}
      </ul>
      {cause.effects.length > shown.length && (
        <p className="px-4 py-2 text-ink-2 text-s">
          The newest {shown.length} of {cause.effects.length}. Narrow the range to see the others.
        </p>
      )}
    </aside>
  )
}

function EffectItem({ line, keyId }: { line: EffectLine; keyId: string | null }) {
  const { caseId, traceId } = line
  const links = [
    keyId !== null && { label: 'Key', href: `/keys/${keyId}` },
    caseId !== null && { label: 'Case', href: `/reconciliation/cases/${caseId}` },
    traceId !== null && { label: 'Trace', href: `/traces/${traceId}` },
  ]
  return (
    <li className="border-line border-t px-4 py-2.5">
      <div className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate font-mono text-s" title={line.key ?? undefined}>
          {line.key === null ? 'key known by its hash only' : shortId(line.key, 22, 4)}
        </span>
        <span className="font-medium">
          {line.amount === null ? 'amount not told' : moneyText(line.amount)}
        </span>
      </div>
      <p className="mt-0.5 flex flex-wrap items-center gap-x-2 text-ink-3 text-s">
        <Badge tone={line.caseId === null ? 'warn' : 'bad'}>{line.verdict ?? 'suspected by traces'}</Badge>
        <span className="font-mono" title={line.effectIds.join(', ')}>
          {line.effectIds.map((id) => shortId(id, 7, 4)).join(', ')}
        </span>
        <Time at={line.at} kind="seconds" />
      </p>
      <p className="mt-1 flex gap-4">
        {links
          .filter((link) => link !== false)
          .map(({ label, href }) => (
            <PageLink
              key={label}
              href={href}
              look="link"
              className="max-md:inline-flex max-md:min-h-11 max-md:items-center"
            >
              {label}
            </PageLink>
          ))}
      </p>
    </li>
  )
}
