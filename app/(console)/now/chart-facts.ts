/** minute, 5 minutes, hour, 6 hours, day */
export function stepText(seconds: number): string {
  const [size, unit] =
    seconds % 86_400 === 0
      ? [seconds / 86_400, 'day']
      : seconds % 3600 === 0
        ? [seconds / 3600, 'hour']
        : [seconds / 60, 'minute']
  return size === 1 ? unit : `${size} ${unit}s`
}

/** The crosshair of one chart stands on the other too. */
export const CHARTS = 'now'
