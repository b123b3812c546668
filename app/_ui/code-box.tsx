import { classNames } from './class-names'

/** Text as a machine has it, line by line; what is longer than the box scrolls, by keyboard too. */
export function CodeBox({ className, children }: { className?: string; children: string }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className={classNames(
        'max-h-72 overflow-auto whitespace-pre-wrap break-all rounded-m bg-sunken p-3 font-mono text-s',
        className,
      )}
    >
      {children}
    </pre>
  )
}
