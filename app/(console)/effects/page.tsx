import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { ExportButtons } from '@/app/_ui/export-buttons'
import { ViewChip } from '@/app/_ui/facet-chips'
import { PageHeader } from '@/app/_ui/page-header'
import { StillTable } from '@/app/_ui/still-table'
import { headClass } from '@/app/_ui/table'
import { loadRange, resolveRange, writeRange } from '@/app/_ui/time-range'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import type { EffectKind } from '@/lib/effects/list-effects'
import { formatKeyId } from '@/lib/keys/key-id'
import { Remember } from '../_shell/last-good'
import { requestNow } from '../_shell/reads'
import { CopyLink } from '../now/copy-link'
import { DryRunButton } from '../now/dry-run-button'
import { CauseLine } from './cause-line'
import { CausePanel } from './cause-panel'
import { NoEffects } from './no-effects'
import { KINDS, loadQuery } from './query'
import { readEffectsPage } from './read-effects'
import { effectsSentence } from './sentence'

export const metadata: Metadata = { title: 'Effects' }
export const dynamic = 'force-dynamic'

const KIND_LABEL: Record<EffectKind, string> = { duplicate: 'Duplicates', orphan: 'Orphans' }

export default async function EffectsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const asked = await searchParams
  const ctx = await guardPage('/effects', asked)
  const query = await loadQuery(asked)
  const range = resolveRange(await loadRange(asked), await requestNow())
  const page = await readEffectsPage(ctx, query.kind, range)
  const window = { from: range.from.toISOString(), to: range.to.toISOString() }
  const open = page.causes.find(({ id }) => id === query.cause) ?? page.causes[0] ?? null
  return (
    <Remember>
      <div className="grid gap-3">
        <PageHeader
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
              <DryRunButton
                {...window}
                forbidden={
                  roleAllows(ctx.actor.role, 'run.start')
                    ? null
                    : `Needs the ${leastRoleFor('run.start')} role`
                }
              />
            </>
          }
        />
        <div className="grid items-start gap-3 [&:has(>aside)]:xl:grid-cols-[minmax(0,1fr)_26rem]">
          <section
            aria-label="Table of causes"
            className="min-w-0 rounded-m border border-line bg-surface shadow-card"
          >
            <StillTable
              caption="Causes: operation and service version"
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
              head={<Head />}
              rows={page.causes.map((cause) => ({
                id: cause.id,
                row: <CauseLine key={cause.id} cause={cause} open={cause === open} />,
              }))}
              empty={
                <NoEffects
                  kind={query.kind}
                  measured={query.kind === 'duplicate' ? page.committed > 0n : page.known}
                />
              }
            />
          </section>
          {open !== null && (
            <CausePanel
              cause={open}
              keyIds={Object.fromEntries(
                open.effects.flatMap(({ id, sourceId, scope, key }) =>
                  sourceId === null || scope === null || key === null
                    ? []
                    : [[id, formatKeyId({ sourceId, scope, key })]],
                ),
              )}
            />
          )}
        </div>
      </div>
    </Remember>
  )
}

function Head() {
  return (
    <>
      <th scope="col" className={headClass()}>
        Cause
      </th>
      <th scope="col" className={headClass('text-right')}>
        Effects
      </th>
      <th scope="col" className={headClass('text-right max-md:hidden')}>
        Keys
      </th>
      <th scope="col" className={headClass('text-right')}>
        At risk
      </th>
      <th scope="col" className={headClass('max-lg:hidden')}>
        Confirmed
      </th>
      <th scope="col" className={headClass('text-right max-md:hidden')}>
        Last
      </th>
    </>
  )
}
