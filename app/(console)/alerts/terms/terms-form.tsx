'use client'

import { useState } from 'react'
import { DurationField } from '@/app/_ui/duration-field'
import { SelectField, TextField } from '@/app/_ui/field'
import {
  CONDITIONS,
  type ConditionKind,
  type ConditionScope,
  type Limit,
  limitText,
} from '@/lib/core/condition-kinds'
import { TermsPreview } from './terms-preview'

const SCOPE_LABEL: Record<ConditionScope, string> = {
  system: 'System',
  service: 'Service',
  endpoint: 'Endpoint',
}

/** Of which alert, where, and what is to be different; what is left empty stays as it is. */
export function TermsForm({ kinds }: { kinds: readonly { value: ConditionKind; label: string }[] }) {
  const [kind, setKind] = useState<ConditionKind>(kinds[0]?.value ?? 'stuck_keys')
  const { scopes, limits }: { scopes: readonly ConditionScope[]; limits: Record<string, Limit> } =
    CONDITIONS[kind]
  return (
    <>
      <SelectField
        name="kind"
        label="Alert"
        value={kind}
        onChange={({ target }) => setKind(target.value as ConditionKind)}
        choices={kinds}
      />
      {scopes.length > 0 && (
        <fieldset className="grid grid-cols-1 gap-3 sm:grid-cols-2">
          <legend className="mb-1 font-medium">Only of</legend>
          {scopes.map((scope) => (
            <TextField
              key={scope}
              name={scope}
              label={SCOPE_LABEL[scope]}
              nested
              maxLength={200}
              placeholder="any"
            />
          ))}
        </fieldset>
      )}
      <fieldset className="grid grid-cols-1 gap-3 sm:grid-cols-2 [&>fieldset]:min-w-0">
        <legend className="mb-1 font-medium">Is to be (what is left empty stays as it is)</legend>
        <SelectField
          name="severity"
          label="Who is to know"
          nested
          defaultValue=""
          choices={[
            { value: '', label: 'as it is' },
            { value: 'page', label: 'page: it wakes somebody' },
            { value: 'ticket', label: 'ticket: it can wait' },
            { value: 'off', label: 'nobody: it is not evaluated' },
          ]}
        />
        <DurationField name="for" label="Fires when it has held for" valueMs={null} />
        {Object.entries(limits).map(([name, limit]) =>
          limit.unit === 'ms' ? (
            <DurationField
              key={`${kind} ${name}`}
              name={name}
              label={limit.says}
              hint={`usually ${limitText(limit)}`}
              valueMs={null}
            />
          ) : (
            <TextField
              key={`${kind} ${name}`}
              name={name}
              label={limit.unit === 'share' ? `${limit.says}, percent` : limit.says}
              nested
              type="number"
              step="any"
              min={limit.unit === 'share' ? limit.min * 100 : limit.min}
              max={limit.unit === 'share' ? limit.max * 100 : limit.max}
              hint={`usually ${limitText(limit)}`}
            />
          ),
        )}
      </fieldset>
      <TermsPreview />
    </>
  )
}
