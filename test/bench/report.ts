/** One line of output. `baseline` is the bare engine doing the same work in the same run; null = stated, not bounded. */
export type BenchLine = {
  case: string
  value: number
  unit: string
  baseline: number | null
  ratio: number | null
  bound: string | null
  ok: boolean
}

export type Report = (line: BenchLine) => void
export type BenchOptions = { rows: number | undefined; only: string | undefined }
export type Bench = (options: BenchOptions, report: Report) => Promise<void>

const round = (value: number) => Number(value.toPrecision(4))

/** A figure without a bound. */
export function stated(name: string, value: number, unit: string): BenchLine {
  return { case: name, value: round(value), unit, baseline: null, ratio: null, bound: null, ok: true }
}

/** A figure that must not exceed `max`. */
export function atMost(name: string, value: number, unit: string, max: number): BenchLine {
  const bound = `<= ${max} ${unit}`
  return { case: name, value: round(value), unit, baseline: null, ratio: null, bound, ok: value <= max }
}

/** A figure against the bare engine's: its ratio must keep to the bound, or is only stated. */
export function against(
  name: string,
  figures: { value: number; baseline: number; unit: string },
  bound: { ratioMin?: number; ratioMax?: number } = {},
): BenchLine {
  const ratio = figures.value / figures.baseline
  const { ratioMin, ratioMax } = bound
  return {
    case: name,
    value: round(figures.value),
    unit: figures.unit,
    baseline: round(figures.baseline),
    ratio: round(ratio),
    bound:
      ratioMin !== undefined
        ? `ratio >= ${ratioMin}`
        : ratioMax !== undefined
          ? `ratio <= ${ratioMax}`
          : null,
    ok: ratio >= (ratioMin ?? 0) && ratio <= (ratioMax ?? Number.POSITIVE_INFINITY),
  }
}

/** The value at rank ⌈q·n⌉. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}
