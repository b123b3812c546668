import { fieldClass } from '@/app/_ui/field'

const SNOOZES = [
  { hours: 1, label: '1 hour' },
  { hours: 4, label: '4 hours' },
  { hours: 24, label: '1 day' },
  { hours: 168, label: '7 days' },
]

/** For how long, or until when. */
export function SnoozeFields() {
  return (
    <fieldset>
      <legend className="mb-1 font-medium">For how long</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-1">
        {SNOOZES.map(({ hours, label }, index) => (
          <label key={hours} className="flex items-center gap-2 max-md:min-h-11">
            <input type="radio" name="hours" value={hours} defaultChecked={index === 0} /> {label}
          </label>
        ))}
      </div>
      <label className="mt-3 block">
        <span className="mb-1 block text-ink-2">or until a moment, UTC</span>
        <input type="datetime-local" name="until" className={fieldClass} />
      </label>
    </fieldset>
  )
}
