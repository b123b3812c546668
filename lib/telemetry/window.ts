/** What a reader looks at. `from` is included, `to` is not. */
export type TelemetryWindow = {
  from: Date
  to: Date
  service?: string | undefined
  endpoint?: string | undefined
  client?: string | undefined
}

/** Of all services, endpoints and clients together: sums over them are ready. */
export const isUnfiltered = ({ service, endpoint, client }: TelemetryWindow): boolean =>
  service === undefined && endpoint === undefined && client === undefined

const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000
/** More points than a chart can show are never sent. */
const SERIES_POINTS_MAX = 300

/** Steps whose percentiles are derived with their minutes (sql/derive.ts). */
export const SHORT_STEPS_SECONDS: readonly number[] = [60, 120, 300, 600]
/** None between ten minutes and an hour: longer ranges than 50 hours are read from hours, not from minutes. */
const STEPS_SECONDS = [...SHORT_STEPS_SECONDS, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

export function floorMinute(at: Date): Date {
  return new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS)
}

/** Figures come from whole minutes: `from` is rounded down, `to` up, so that the window asked for is inside. */
export function toMinutes<W extends TelemetryWindow>(window: W): W {
  const to = new Date(Math.ceil(window.to.getTime() / MINUTE_MS) * MINUTE_MS)
  return { ...window, from: floorMinute(window.from), to }
}

/** The parameters $1–$5 that every roll-up query takes. */
export function windowParameters(
  window: TelemetryWindow,
): [Date, Date, string | null, string | null, string | null] {
  return [window.from, window.to, window.service ?? null, window.endpoint ?? null, window.client ?? null]
}

/** The narrowest step that keeps the window within SERIES_POINTS_MAX points. */
export function bucketSeconds(from: Date, to: Date): number {
  const seconds = Math.max(0, (to.getTime() - from.getTime()) / 1000)
  // One point is lost to alignment: buckets start at multiples of the step, not at `from`.
  const fits = (step: number) => Math.ceil(seconds / step) + 1 <= SERIES_POINTS_MAX
  const step = STEPS_SECONDS.find(fits)
  return step ?? Math.ceil(seconds / 86_400 / (SERIES_POINTS_MAX - 1)) * 86_400
}

/** The starts of the buckets that cover the window, aligned to the epoch. */
export function bucketStarts(from: Date, to: Date, stepSeconds: number): Date[] {
  const stepMs = stepSeconds * 1000
  const starts: Date[] = []
  for (let at = Math.floor(from.getTime() / stepMs) * stepMs; at < to.getTime(); at += stepMs)
    starts.push(new Date(at))
  return starts
}
