import type { ComponentProps } from 'react'
import { TextField } from '@/app/_ui/field'

/** Where the records of a source are kept. */
export const RegionField = (input: Omit<ComponentProps<'input'>, 'name'>) => (
  <TextField
    name="region"
    label="Region (optional)"
    maxLength={40}
    placeholder="eu-west-1"
    hint="Where its records are kept, when you run in more than one. It is shown on its card."
    {...input}
  />
)
