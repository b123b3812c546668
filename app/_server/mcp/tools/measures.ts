import { z } from 'zod'
import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { countText, latencyText, percentText, targetPercentText } from '@/lib/core/format-figure'
import { given } from '@/lib/core/given'
import type { Measure } from '@/lib/telemetry/measures/measure'
import { windowQuery } from '../../api/inputs'
import type { Item } from '../compose'
import { rangeAsked, rangeInput, tool } from '../tool'

export const measures = tool({
  name: 'measures',
  title: 'The ten measures',
  description:
    'M1–M10 of a time range: duplicate requests (M1), duplicate side effects (M2), store errors (M3), latency (M4), expired-key retries (M5), orphans (M6), corrections (M7), redeliveries (M8), store growth (M9), pages (M10). Not measured is not zero.',
  input: z.strictObject({
    ...rangeInput,
    service: windowQuery.service,
    endpoint: windowQuery.endpoint,
    client: windowQuery.client,
  }),
  async read(ctx, { from, to, ...where }) {
    const range = rangeAsked({ from, to }, ctx.clock.now())
    const items = await readConsoleMeasures(ctx, { from: range.from, to: range.to, ...where })
    const path = range.pathOf('/now')
    return {
      title: 'Measures',
      path,
      lines: [`Whole minutes of ${range.text}.`],
      data: range.said,
      sections: [{ name: 'measures', heading: 'M1–M10', items: items.map(measureItem), path }],
    }
  },
})

export function measureItem({
  id,
  name,
  value,
  numerator,
  denominator,
  unit,
  target,
  state,
  reason,
}: Measure): Item {
  const of =
    numerator === null || denominator === null
      ? ''
      : ` (${countText(numerator)} of ${countText(denominator)})`
  const limit = target === null ? '' : `, target ${figure(target, unit, targetPercentText)}`
  const says =
    value === null
      ? `${state}: ${reason ?? 'no reason given'}`
      : `${figure(value, unit)}${of}${limit}, ${state}`
  return {
    text: `${id} ${name}: ${says}`,
    data: { id, value, numerator, denominator, unit, target, state, ...given({ reason }) },
  }
}

function figure(value: number, unit: Measure['unit'], percent = percentText): string {
  if (unit === 'ratio') return `${percent(value)} %`
  return unit === 'ms' ? latencyText(value) : `${countText(value)} ${unit}`
}
