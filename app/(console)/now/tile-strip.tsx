import { Fragment } from 'react'
import { classNames, coveringClass } from '@/app/_ui/class-names'
import { PageLink } from '@/app/_ui/page-link'
import { Sparkline } from '@/app/_ui/sparkline'
import { STANDINGS, StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import type { Tile } from '@/lib/alerts/now/tiles'

export function TileStrip({ tiles }: { tiles: readonly Tile[] }) {
  return (
    <section aria-label="Measures">
      <ul className="grid grid-cols-2 gap-px overflow-hidden rounded-m border border-line bg-line shadow-card sm:grid-cols-3 xl:grid-cols-6">
        {tiles.map((tile) => (
          <TileCell key={tile.id} tile={tile} />
        ))}
      </ul>
    </section>
  )
}

function TileCell({ tile }: { tile: Tile }) {
  const { ink, stroke } = STANDINGS[tile.standing]
  return (
    <li
      data-tile={tile.id}
      className="relative flex min-w-0 flex-col bg-surface hover:bg-sunken px-4 pt-3 pb-3 max-md:px-3"
    >
      <h2 className="flex items-center gap-1.5 text-ink-2">
        <StateMark standing={tile.standing} />
        <PageLink href={tile.href} className={classNames('truncate', coveringClass)}>
          {tile.title}
        </PageLink>
      </h2>
      {tile.value === null ? (
        <p className="flex h-8 items-center font-medium text-ink-2 text-l">{tile.empty ?? 'Not measured'}</p>
      ) : (
        <p className="flex h-8 items-baseline gap-1.5">
          <span className={classNames('font-semibold text-kpi tracking-tight', ink)}>{tile.value}</span>
          {tile.unit !== '' && <span className="text-ink-3">{tile.unit}</span>}
        </p>
      )}
      <p className="min-h-8 text-ink-3 text-xs">
        {tile.facts.map((fact, place) => (
          <Fragment key={fact}>
            {place > 0 && ' · '}
            {/* A fact moves to the next line whole, when it fits there. */}
            <span className="inline-block">{fact}</span>
          </Fragment>
        ))}
        {tile.stale !== null && (
          <>
            {' · '}
            <span className="text-warn-ink">
              stale since <Time at={tile.stale.since} />: {tile.stale.who}
            </span>
          </>
        )}
      </p>
      <div className="mt-auto h-[22px] pt-0.5">
        {tile.ages !== undefined && tile.ages.length > 0 && <AgeBars ages={tile.ages} fill={stroke} />}
        {tile.spark.length > 1 && <Sparkline points={tile.spark} stroke={stroke} />}
      </div>
    </li>
  )
}

const AGES_WIDTH = 96
const AGES_HEIGHT = 20
const AGES_MAX = 24
const AGE_GAP = 2
const AGE_WIDTH_MAX = 10

/** How long each stuck lock has been held, the newest first. Decoration: the oldest is said in words. */
function AgeBars({ ages, fill }: { ages: readonly number[]; fill: string }) {
  const shown = [...ages]
    .sort((a, b) => b - a)
    .slice(0, AGES_MAX)
    .reverse()
  const oldest = Math.max(1, shown.at(-1) ?? 0)
  const width = Math.min(AGE_WIDTH_MAX, AGES_WIDTH / Math.max(1, shown.length) - AGE_GAP)
  const bars = shown.map((age, place) => ({
    x: place * (width + AGE_GAP),
    height: Math.max(2, (age / oldest) * AGES_HEIGHT),
  }))
  return (
    <svg
      viewBox={`0 0 ${AGES_WIDTH} ${AGES_HEIGHT}`}
      width={AGES_WIDTH}
      height={AGES_HEIGHT}
      aria-hidden="true"
    >
      {bars.map(({ x, height }) => (
        <rect key={x} x={x} y={AGES_HEIGHT - height} width={width} height={height} rx={1} fill={fill} />
      ))}
    </svg>
  )
}
