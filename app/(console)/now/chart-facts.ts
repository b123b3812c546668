import type { ChartMark } from '@/app/_ui/charts/outcome-point'
import type { NowData } from './read-now'

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

/** Deploys within the range; one service at one moment is one mark. */
export function deployMarks({ deploys, range }: NowData): ChartMark[] {
  return deploys
    .filter(({ at }) => at >= range.from)
    .map(({ at, service, version }) => ({ at: at.getTime(), label: `${service} ${version}` }))
}
