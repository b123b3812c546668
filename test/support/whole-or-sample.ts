/**
 * A long matrix of cases: `npm run test:deep` runs all of it, `npm test` a sample that has each phase in it. The file is
 * named *.deep.test.ts.
 */
export const wholeOrSample = <T>(whole: T, sample: T): T => (process.env.DEEP === '1' ? whole : sample)
