import { SelectField, TextField } from '@/app/_ui/field'

/** By minutes. */
const LENGTHS = [
  { value: '30', label: '30 minutes' },
  { value: '60', label: '1 hour' },
  { value: '120', label: '2 hours' },
  { value: '240', label: '4 hours' },
  { value: '480', label: '8 hours' },
]

/** How long somebody looks after it, and what they do. */
export const AcknowledgeFields = () => (
  <>
    <SelectField name="minutes" label="Reminders go on after" defaultValue="120" choices={LENGTHS} />
    <TextField name="note" label="Note; may be empty" maxLength={500} placeholder="what you are doing" />
  </>
)
