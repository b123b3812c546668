import type { Metadata } from 'next'
import { CardFrame } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { ViewChip } from '@/app/_ui/facet-chips'
import { ListTable } from '@/app/_ui/list-table'
import { writeRange } from '@/app/_ui/time-range'
import type { Cause } from '@/lib/effects/causes'
import { effectsSentence } from '@/lib/effects/describe-effects'
import type { EffectKind } from '@/lib/effects/list-effects'
import { readEffects } from '@/lib/effects/read-effects'
import { formatKeyId } from '@/lib/keys/key-id'
import { openPage, type PageProps } from '../_page/open-page'
import { Page } from '../_page/page-frame'
import { CopyLink } from '../now/copy-link'
import { DryRunButton } from '../now/dry-run-button'
import { causeColumns } from './cause-columns'
import { CausePanel } from './cause-panel'
import { KINDS, loadQuery } from './query'

export const metadata: Metadata = { title: 'Effects' }

const KIND_LABEL: Record<EffectKind, string> = { duplicate: 'Duplicates', orphan: 'Orphans' }

export default async function EffectsPage(props: PageProps) {
  const { ctx, asked, range, forbid } = await openPage('/effects', props)
  const query = await loadQuery(asked)
  const page = await readEffects(ctx, query.kind, range)
  const window = { from: range.from.toISOString(), to: range.to.toISOString() }
  const open = page.causes.find(({ id }) => id === query.cause) ?? page.causes[0] ?? null
  return (
    <Page
      title="Effects"
      summary={effectsSentence(query.kind, page, query.counted)}
      actions={
        <>
          <CopyLink
            query={`${writeRange(range)}&${new URLSearchParams({ kind: query.kind, ...(query.cause === null ? {} : { cause: query.cause }) })}`}
          />
          <ExportButtons
            action="/effects/export"
            title="The effects of this range; that you took them is recorded"
          />
          <DryRunButton {...window} forbidden={forbid('run.start')} />
        </>
      }
    >
      <div className="grid items-start gap-3 [&:has(>aside)]:xl:grid-cols-[minmax(0,1fr)_26rem]">
        <CardFrame label="Table of causes">
          <ListTable
            caption="Causes: operation and service version"
            columns={causeColumns(open)}
            rows={page.causes}
            id={({ id }) => id}
            look={(cause) => ({ chosen: cause === open })}
            view={`${query.kind} ${range.preset ?? `${window.from} ${window.to}`}`}
            toolbar={KINDS.map((kind) => (
              <ViewChip
                key={kind}
                set={{ kind, cause: null }}
                chosen={kind === query.kind}
                label={KIND_LABEL[kind]}
                count={page.counts[kind]}
              />
            ))}
            empty={<NoEffects kind={query.kind} measured={page.counts[query.kind] !== null} />}
          />
        </CardFrame>
        {open !== null && <CausePanel cause={open} keyIds={keyIdsOf(open)} />}
      </div>
    </Page>
  )
}

/** By effect: the page of its key, where the store is known. */
const keyIdsOf = ({ effects }: Cause): Record<string, string> =>
  Object.fromEntries(
    effects.flatMap(({ id, sourceId, scope, key }) =>
      sourceId === null || scope === null || key === null
        ? []
        : [[id, formatKeyId({ sourceId, scope, key })]],
    ),
  )

/** None is an answer only where effects are seen at all. */
function NoEffects({ kind, measured }: { kind: EffectKind; measured: boolean }) {
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
