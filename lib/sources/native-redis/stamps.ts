/** µs of the epoch as a date; what is below a ms is cut off. */
export const dateOf = (micros: string): Date => new Date(Math.floor(Number(micros) / 1_000))

/** And with its microseconds: an ISO time, which sorts and is compared as a text. */
export const isoOf = (micros: string): string =>
  `${dateOf(micros).toISOString().slice(0, -1)}${micros.slice(-3).padStart(3, '0')}Z`
