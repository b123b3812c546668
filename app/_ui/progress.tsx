/** How far something is: 0 to 1. */
export function Progress({ value, label }: { value: number; label: string }) {
  const percent = Math.floor(value * 100)
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="mt-1 h-1 overflow-hidden rounded-full bg-sunken"
    >
      <div className="h-full bg-accent" style={{ width: `${Math.max(2, percent)}%` }} />
    </div>
  )
}
