import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { LineSample } from '@/app/_ui/charts/chart-figure'
import { TextField } from '@/app/_ui/field'
import { type Figure, Figures } from '@/app/_ui/figures'
import { bytesText } from '@/app/_ui/format-bytes'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { countText, durationText, plural } from '@/lib/core/format-figure'
import { type Names, nameIn } from '@/lib/core/names'
import type { CollectionMarkView, TierStorage } from '@/lib/retention/storage'
import type { StoreTotal } from '@/lib/retention/store-totals'
import { saveCapacity } from './actions'
import type { StorageData } from './read-page'

const GIB = 1024 ** 3
const DAY_MS = 86_400_000
/** Fewer days than this are too few to order a disk. */
const DAYS_FEW = 30

type Props = StorageData & { total: StoreTotal }

/** One store: how large it is, how fast it grows, how long it lasts, and what waits to be collected. */
export function StoreCard({ total, ...storage }: Props) {
  const { source } = total
  return (
    <Card id={`store-${source}`} title={nameIn(storage.names, source)} aside="all tiers together">
      <Figures figures={figuresOf(total, storage.forbid('source.manage'))} />
      <div className="pt-3">
        {total.bytes !== null && (
          <GrowthChart
            {...storage}
            tiers={storage.tiers.filter((tier) => tier.source === source)}
            marks={storage.marks.filter((mark) => mark.source === source)}
          />
        )}
      </div>
    </Card>
  )
}

function figuresOf(total: StoreTotal, forbidden: string | null): Figure[] {
  const { bytes, rows, expiredRows } = total
  return [
    { name: 'Size', value: bytes === null ? null : bytesText(bytes), note: `${countText(rows)} keys` },
    growthFigure(total),
    daysLeft(total, forbidden),
    { name: 'Expired backlog', value: countText(expiredRows), note: 'keys past their TTL' },
    lagFigure(total),
    oldestFigure(total),
  ]
}

function growthFigure({ bytes, bytesADay }: StoreTotal): Figure {
  const name = 'Growth a day'
  if (bytes === null) return { name, value: null, note: 'its engine has not told its size yet' }
  if (bytesADay === null) return { name, value: null, note: 'needs 5 minutes of samples' }
  return { name, value: bytesText(Math.round(bytesADay)), note: 'what came, before collections' }
}

function lagFigure({ expiredRows, expiryLagMs }: StoreTotal): Figure {
  const name = 'Expiry lag'
  if (expiryLagMs !== null)
    return { name, value: durationText(expiryLagMs), note: 'the oldest expired key waits' }
  return expiredRows > 0
    ? { name, value: null, note: 'its engine does not tell since when' }
    : { name, value: '0 s', note: 'no keys waiting' }
}

function oldestFigure({ rows, expiredRows, oldestUnexpiredAt: at }: StoreTotal): Figure {
  const name = 'Oldest unexpired'
  if (at !== null) return { name, value: <Time at={at} kind="age" />, note: 'age of the oldest kept' }
  return rows > expiredRows
    ? { name, value: null, note: 'its engine does not tell' }
    : { name, value: '–', note: 'no unexpired key' }
}

function daysLeft(total: StoreTotal, forbidden: string | null): Figure {
  const { source, capacityBytes, bytesADay, daysLeft: days } = total
  const capacity = (
    <ActionDialog
      opener={capacityBytes === null ? 'Set capacity' : `of ${bytesText(capacityBytes)}`}
      openerLook="link"
      forbidden={forbidden}
      title="How much this store may hold"
      lead="Days left follow from it and the growth. Nothing in the store changes."
      confirm="Save 1 capacity"
      withReason
      action={saveCapacity.bind(null, source)}
    >
      <TextField
        name="gib"
        label="Capacity in GiB; empty takes it away"
        type="number"
        min={0}
        step="any"
        inputMode="decimal"
        defaultValue={capacityBytes === null ? '' : capacityBytes / GIB}
      />
    </ActionDialog>
  )
  const few = days !== null && days < DAYS_FEW
  return {
    name: 'Days left',
    value: days === null ? null : days < 1 ? durationText(days * DAY_MS) : countText(Math.floor(days)),
    empty: capacityBytes === null ? 'Not configured' : bytesADay === null ? 'Not measured' : 'Not growing',
    note: capacity,
    tone: few ? 'warn' : undefined,
  }
}

const WIDTH = 1000
const HEIGHT = 160
const GRID = [1, 0.5, 0]
/** Told apart by dash as well as by colour. */
const LINES = [
  { stroke: 'var(--executed)', dash: '' },
  { stroke: 'var(--processing)', dash: '7 4' },
  { stroke: 'var(--conflict)', dash: '2 4' },
  { stroke: 'var(--warning)', dash: '10 3 2 3' },
] as const
/** Marks nearer to each other than this share of the width are one. */
const MARK_WIDTH_PERCENT = 2.5

/** Size over the range, a line a tier, with a mark for each collection that took something. */
function GrowthChart({
  tiers,
  marks,
  range,
  names,
}: Pick<StorageData, 'tiers' | 'marks' | 'range' | 'names'>) {
  const [from, to] = [range.from.getTime(), range.to.getTime()]
  const largest = [...tiers].sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
  const shown = largest.slice(0, LINES.length)
  const max = Math.max(1, ...shown.flatMap(({ points }) => points.map(({ bytes }) => bytes)))
  const x = (at: string) => ((Date.parse(at) - from) / (to - from)) * 100
  const groups = groupMarks(
    marks.filter(({ rows }) => rows !== '0'),
    x,
  )
  return (
    <figure className="px-4 pb-3">
      <figcaption className="sr-only">
        Size by tier over the range, and its collections as {plural(groups.length, 'mark')}
      </figcaption>
      <Legend tiers={shown} more={largest.length - shown.length} names={names} />
      <div className="grid grid-cols-[64px_minmax(0,1fr)]">
        <div className="relative text-ink-3 text-xs" aria-hidden="true" style={{ height: HEIGHT }}>
          {GRID.map((share) => (
            <span
              key={share}
              className="absolute right-2 -translate-y-1/2 whitespace-nowrap"
              style={{ top: `${(1 - share) * 100}%` }}
            >
              {bytesText(Math.round(max * share))}
            </span>
          ))}
        </div>
        <div className="relative" style={{ height: HEIGHT }}>
          <svg
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            aria-hidden="true"
            className="absolute inset-0 size-full overflow-visible"
          >
            {GRID.map((share) => (
              <path
                key={share}
                d={`M0 ${(1 - share) * HEIGHT}H${WIDTH}`}
                stroke="var(--line)"
                vectorEffect="non-scaling-stroke"
              />
            ))}
            {shown.map((tier, place) => (
              <path
                key={`${tier.source} ${tier.tier}`}
                d={pathOf(tier, (at) => (x(at) / 100) * WIDTH, max)}
                fill="none"
                stroke={LINES[place]?.stroke}
                strokeDasharray={LINES[place]?.dash}
                strokeWidth="1.75"
                strokeLinejoin="round"
                vectorEffect="non-scaling-stroke"
              />
            ))}
          </svg>
          {groups.map((group) => (
            <Mark key={group.runId} group={group} />
          ))}
        </div>
        <div />
        <div className="relative mt-4 h-4 text-ink-3 text-xs">
          <Time at={range.from.toISOString()} className="absolute left-0" />
          <Time at={new Date((from + to) / 2).toISOString()} className="absolute left-1/2 -translate-x-1/2" />
          <Time at={range.to.toISOString()} className="absolute right-0" />
        </div>
      </div>
    </figure>
  )
}

function pathOf(tier: TierStorage, x: (at: string) => number, max: number): string {
  return tier.points
    .map(({ at, bytes }, place) => {
      const to = `${x(at).toFixed(1)} ${((1 - bytes / max) * HEIGHT).toFixed(1)}`
      return place === 0 ? `M${to}` : `L${to}`
    })
    .join('')
}

function Legend(props: { tiers: readonly TierStorage[]; more: number; names: Names }) {
  const { tiers, more, names } = props
  return (
    <ul className="mb-3 flex flex-wrap gap-x-4 gap-y-1 text-ink-2 text-s">
      {tiers.map((tier, place) => (
        <li key={`${tier.source} ${tier.tier}`} className="flex items-center gap-1.5">
          <LineSample {...LINES[place]} />
          {tier.tier === '' || tier.tier === 'all' ? nameIn(names, tier.source) : tier.tier}
        </li>
      ))}
      <li className="flex items-center gap-1.5">
        <span aria-hidden="true" className="size-2 rotate-45 bg-replayed" /> collection
      </li>
      {more > 0 && <li className="text-ink-3">{more} smaller not drawn</li>}
    </ul>
  )
}

type MarkGroup = { left: number; count: number; rows: bigint; bytes: bigint; runId: string }

/** Newest first, as they come; each group is named after its newest. */
function groupMarks(marks: readonly CollectionMarkView[], x: (at: string) => number): MarkGroup[] {
  const groups: MarkGroup[] = []
  for (const { at, runId, rows, bytes } of marks) {
    const left = x(at)
    const last = groups.at(-1)
    if (last !== undefined && last.left - left < MARK_WIDTH_PERCENT) {
      last.count += 1
      last.rows += BigInt(rows)
      last.bytes += BigInt(bytes)
    } else {
      groups.push({ left, count: 1, rows: BigInt(rows), bytes: BigInt(bytes), runId })
    }
  }
  return groups
}

/** Opens the run, or the newest of several that lie together. */
function Mark({ group: { left, count, rows, bytes, runId } }: { group: MarkGroup }) {
  const what = `${plural(count, 'collection')}, ${countText(rows)} keys, ${bytesText(Number(bytes))}`
  return (
    <PageLink
      href={`/storage/runs/${runId}`}
      title={what}
      aria-label={what}
      data-mark={runId}
      style={{ left: `${left}%` }}
      className="-bottom-3 absolute grid size-6 -translate-x-1/2 place-items-center"
    >
      <span aria-hidden="true" className="size-2 rotate-45 bg-replayed" />
    </PageLink>
  )
}
