import { DurationField } from '@/app/_ui/duration-field'
import { fieldClass } from '@/app/_ui/field'
import { CASE_CLASS_NAMES, caseClass } from '@/lib/core/case-classes'
import { RulePreview } from './rule-preview'

const label = 'mb-1 block font-medium'

/** What a rule speaks of, what it tolerates, and where in the list it stands. */
export function RuleForm() {
  return (
    <>
      <label className="block">
        <span className={label}>Name</span>
        <input name="name" required maxLength={100} autoComplete="off" className={fieldClass} />
      </label>
      <fieldset className="grid grid-cols-1 gap-3 sm:grid-cols-2 [&>fieldset]:min-w-0">
        <legend className="mb-1 font-medium">Speaks of (one at least)</legend>
        <label className="block">
          <span className="mb-1 block text-ink-2">Class</span>
          <select name="class" defaultValue="" className={fieldClass}>
            <option value="">any</option>
            {CASE_CLASS_NAMES.map((name) => (
              <option key={name} value={name}>
                {caseClass(name).title}
              </option>
            ))}
          </select>
        </label>
        <label className="block">
          <span className="mb-1 block text-ink-2">Currency</span>
          <input name="currency" maxLength={3} placeholder="any" autoComplete="off" className={fieldClass} />
        </label>
        <label className="block">
          <span className="mb-1 block text-ink-2">Kind</span>
          <select name="kind" defaultValue="" className={fieldClass}>
            <option value="">any</option>
            <option value="charge">charges</option>
            <option value="refund">refunds</option>
          </select>
        </label>
        <label className="block">
          <span className="mb-1 block text-ink-2">Scope</span>
          <input
            name="scope"
            maxLength={300}
            placeholder="*/POST /v1/payments"
            autoComplete="off"
            className={fieldClass}
          />
        </label>
      </fieldset>
      <fieldset className="grid grid-cols-1 gap-3 sm:grid-cols-2 [&>fieldset]:min-w-0">
        <legend className="mb-1 font-medium">Tolerates (one at least)</legend>
        <label className="block">
          <span className="mb-1 block text-ink-2">Apart by, in minor units</span>
          <input
            name="amountMinor"
            inputMode="numeric"
            pattern="\d{1,15}"
            placeholder="5 = USD 0.05"
            autoComplete="off"
            className={fieldClass}
          />
        </label>
        <label className="block">
          <span className="mb-1 block text-ink-2">Apart by, percent</span>
          <input name="percent" type="number" min={0} max={100} step={0.01} className={fieldClass} />
        </label>
        <DurationField name="breakOn" label="Missing for" valueMs={null} />
        <DurationField name="sameWithin" label="Duplicates only within" valueMs={null} />
      </fieldset>
      <label className="block">
        <span className={label}>Where in the list; the first rule that fits counts</span>
        <select name="place" defaultValue="last" className={fieldClass}>
          <option value="last">behind the others</option>
          <option value="first">before the others</option>
        </select>
      </label>
      <RulePreview />
    </>
  )
}
