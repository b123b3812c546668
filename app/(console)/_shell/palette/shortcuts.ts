export const ROW_SHORTCUTS = [
  { keys: ['j'], does: 'Next row' },
  { keys: ['k'], does: 'Row before' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['x'], does: 'Select the row' },
  { keys: ['Esc'], does: 'Close what is open' },
] as const

/** Nothing fires while somebody writes, or while a dialog has the keyboard. */
export function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('[role=dialog], [role=menu], [role=listbox]') !== null)
    return true
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button', 'submit'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}

const rowLinks = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('main [data-row-link]')]

/** Moves the focus among the rows of the page's table; from elsewhere it begins at the first. */
export function moveRow(by: 1 | -1): void {
  const links = rowLinks()
  const row = document.activeElement?.closest('[data-row]')
  const at = links.findIndex((link) => row?.contains(link))
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

export function selectRow(): void {
  document.activeElement
    ?.closest('[data-row]')
    ?.querySelector<HTMLInputElement>('input[type=checkbox]')
    ?.click()
}

/** What is open beside a table says itself how it is closed. */
export function closeOpen(): void {
  document.querySelector<HTMLElement>('main [data-escape]')?.click()
}
