import { RadioFields, SelectField, TextField } from '@/app/_ui/field'

export type Person = { id: string; name: string }

export function OwnerField({ people, owner }: { people: readonly Person[]; owner?: string | null }) {
  return (
    <SelectField
      name="owner"
      label="To whom"
      defaultValue={owner ?? people[0]?.id}
      choices={people.map(({ id, name }) => ({ value: id, label: name }))}
    />
  )
}

const SNOOZES = [
  { value: '1', label: '1 hour' },
  { value: '4', label: '4 hours' },
  { value: '24', label: '1 day' },
  { value: '168', label: '7 days' },
]

/** For how long, or until when. */
export function SnoozeFields() {
  return (
    <>
      <RadioFields name="hours" label="For how long" choices={SNOOZES} defaultValue="1" />
      <TextField name="until" type="datetime-local" label="or until a moment, UTC" nested />
    </>
  )
}
