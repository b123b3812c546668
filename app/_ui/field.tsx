import type { ComponentProps, ReactNode } from 'react'
import { classNames } from './class-names'

/** One look for text fields and choices. */
export const fieldClass =
  'block h-9 w-full rounded-m border border-edge bg-surface px-2.5 placeholder:text-ink-3 max-md:h-11 max-md:text-[16px]'

type Labelled = {
  label: ReactNode
  /** It is one of several under a heading of their own. */
  nested?: boolean | undefined
  hint?: ReactNode
}

function Field({ label, nested = false, hint, children }: Labelled & { children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is its child
    <label className="block">
      <span className={classNames('mb-1 block', nested ? 'text-ink-2' : 'font-medium')}>{label}</span>
      {children}
      {hint !== undefined && <span className="mt-1 block text-ink-3 text-s">{hint}</span>}
    </label>
  )
}

/** A line of text. */
export function TextField({ label, nested, hint, className, ...input }: Labelled & ComponentProps<'input'>) {
  return (
    <Field {...{ label, nested, hint }}>
      <input autoComplete="off" className={classNames(fieldClass, className)} {...input} />
    </Field>
  )
}

export type Choice = { value: string; label: ReactNode; disabled?: boolean }

/** One of several values. */
export function SelectField({
  label,
  nested,
  hint,
  choices,
  ...select
}: Labelled & ComponentProps<'select'> & { choices: readonly (Choice | string)[] }) {
  return (
    <Field {...{ label, nested, hint }}>
      <select className={fieldClass} {...select}>
        {choices
          .map((choice): Choice => (typeof choice === 'string' ? { value: choice, label: choice } : choice))
          .map(({ value, label, disabled }) => (
            <option key={value} value={value} disabled={disabled}>
              {label}
            </option>
          ))}
      </select>
    </Field>
  )
}

/** Several lines of text. */
export function LinesField({
  label,
  nested,
  hint,
  className,
  ...area
}: Labelled & ComponentProps<'textarea'>) {
  return (
    <Field {...{ label, nested, hint }}>
      <textarea
        className={classNames(
          'block w-full rounded-m border border-edge bg-surface px-2.5 py-1.5 max-md:text-[16px]',
          className,
        )}
        {...area}
      />
    </Field>
  )
}

/** Yes or no. */
export function CheckField({ label, ...input }: { label: ReactNode } & ComponentProps<'input'>) {
  return (
    <label className="flex min-h-8 items-center gap-2 max-md:min-h-11">
      <input type="checkbox" {...input} /> {label}
    </label>
  )
}

/** One of a few values, all of them in sight. */
export function RadioFields({
  label,
  choices,
  ...input
}: { label: ReactNode; choices: readonly Choice[] } & Omit<ComponentProps<'input'>, 'type'>) {
  const { defaultValue, value, ...rest } = input
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{label}</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-1">
        {choices.map((choice) => (
          <label key={choice.value} className="flex min-h-8 items-center gap-2 max-md:min-h-11">
            <input
              type="radio"
              value={choice.value}
              disabled={choice.disabled}
              {...(value === undefined
                ? { defaultChecked: choice.value === defaultValue }
                : { checked: choice.value === value })}
              {...rest}
            />{' '}
            {choice.label}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
