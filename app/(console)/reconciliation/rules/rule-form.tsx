import type { ReactNode } from 'react'
import { DurationField } from '@/app/_ui/duration-field'
import { SelectField, TextField } from '@/app/_ui/field'
import { CASE_CLASS_NAMES, caseTitle } from '@/lib/core/case-classes'
import { RulePreview } from './rule-preview'

const ANY = { value: '', label: 'any' }
const CLASSES = [ANY, ...CASE_CLASS_NAMES.map((name) => ({ value: name, label: caseTitle(name) }))]
const KINDS = [ANY, { value: 'charge', label: 'charges' }, { value: 'refund', label: 'refunds' }]
const PLACES = [
  { value: 'last', label: 'behind the others' },
  { value: 'first', label: 'before the others' },
]

/** What a rule speaks of, what it tolerates, and where in the list it stands. */
export function RuleForm() {
  return (
    <>
      <TextField name="name" label="Name" required maxLength={100} />
      <Several legend="Speaks of (one at least)">
        <SelectField name="class" label="Class" nested defaultValue="" choices={CLASSES} />
        <TextField name="currency" label="Currency" nested maxLength={3} placeholder="any" />
        <SelectField name="kind" label="Kind" nested defaultValue="" choices={KINDS} />
        <TextField name="scope" label="Scope" nested maxLength={300} placeholder="*/POST /v1/payments" />
      </Several>
      <Several legend="Tolerates (one at least)">
        <TextField
          name="amountMinor"
          label="Apart by, in minor units"
          nested
          inputMode="numeric"
          pattern="\d{1,15}"
          placeholder="5 = USD 0.05"
        />
        <TextField
          name="percent"
          label="Apart by, percent"
          nested
          type="number"
          min={0}
          max={100}
          step={0.01}
        />
        <DurationField name="breakOn" label="Missing for" valueMs={null} />
        <DurationField name="sameWithin" label="Duplicates only within" valueMs={null} />
      </Several>
      <SelectField
        name="place"
        label="Where in the list; the first rule that fits counts"
        defaultValue="last"
        choices={PLACES}
      />
      <RulePreview />
    </>
  )
}

const Several = ({ legend, children }: { legend: string; children: ReactNode }) => (
  <fieldset className="grid grid-cols-1 gap-3 sm:grid-cols-2 [&>fieldset]:min-w-0">
    <legend className="mb-1 font-medium">{legend}</legend>
    {children}
  </fieldset>
)
