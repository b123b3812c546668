/** One look for text fields and choices. */
export const fieldClass =
  'block h-9 w-full rounded-m border border-edge bg-surface px-2.5 placeholder:text-ink-3 max-md:h-11 max-md:text-[16px]'
