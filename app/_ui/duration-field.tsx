import { z } from 'zod'
import { fieldClass } from '@/app/_ui/field'

const UNIT_MS = { min: 60_000, h: 3_600_000, d: 86_400_000 } as const
const UNITS = Object.keys(UNIT_MS) as (keyof typeof UNIT_MS)[]
const UNIT_LABEL: Record<keyof typeof UNIT_MS, string> = { min: 'minutes', h: 'hours', d: 'days' }

const amount = z.coerce.number('a number').min(0)

/** What the two fields of a duration say; null = left empty. */
export function durationMs(fields: Record<string, string>, name: string): number | null {
  const text = fields[name]?.trim() ?? ''
  if (text === '') return null
  return Math.round(amount.parse(text) * UNIT_MS[z.enum(UNITS).parse(fields[`${name}Unit`])])
}

/** A number and its unit. */
export function DurationField({
  name,
  label,
  hint,
  valueMs,
}: {
  name: string
  label: string
  hint?: string
  valueMs: number | null
}) {
  const unit =
    UNITS.findLast((each) => valueMs !== null && valueMs > 0 && valueMs % UNIT_MS[each] === 0) ?? 'min'
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{label}</legend>
      <div className="flex gap-2">
        <input
          name={name}
          aria-label={`${label}, amount`}
          type="number"
          min={0}
          step="any"
          inputMode="decimal"
          defaultValue={valueMs === null ? '' : valueMs / UNIT_MS[unit]}
          className={fieldClass}
        />
        <select name={`${name}Unit`} aria-label={`${label}, unit`} defaultValue={unit} className={fieldClass}>
          {UNITS.map((each) => (
            <option key={each} value={each}>
              {UNIT_LABEL[each]}
            </option>
          ))}
        </select>
      </div>
      {hint !== undefined && <p className="mt-1 text-ink-3 text-s">{hint}</p>}
    </fieldset>
  )
}
