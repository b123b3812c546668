const isWhole = process.env.DEEP === '1'

/**
 * A long matrix of cases: `npm run test:deep` runs all of it, `npm test` a sample that has each phase in it. The file is
 * named *.deep.*.
 */
export const wholeOrSample = <T>(whole: T, sample: T): T => (isWhole ? whole : sample)

const { DEEP_HISTORIES } = process.env

/** How many random histories to play: 10,000, or as many as `npm run test:deep -- --seeds 500` says; or the sample. */
export const histories = (sample: number): number => wholeOrSample(Number(DEEP_HISTORIES ?? 10_000), sample)
