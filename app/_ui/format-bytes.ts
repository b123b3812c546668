const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** 3.2 MiB: three digits at most, in powers of 1024. */
export function bytesText(bytes: number): string {
  let value = bytes
  let place = 0
  while (Math.abs(value) >= 1024 && place < UNITS.length - 1) {
    value /= 1024
    place += 1
  }
  const digits = place === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${UNITS[place]}`
}
