import { fieldClass } from '@/app/_ui/field'

export type Person = { id: string; name: string }

export function OwnerField({ people, owner }: { people: readonly Person[]; owner?: string | null }) {
  return (
    <label className="block">
      <span className="mb-1 block font-medium">To whom</span>
      <select name="owner" defaultValue={owner ?? people[0]?.id} className={fieldClass}>
        {people.map((person) => (
          <option key={person.id} value={person.id}>
            {person.name}
          </option>
        ))}
      </select>
    </label>
  )
}
