/** In a cell of a figure. */
export const NOT_MEASURED = <span className="text-ink-3">not measured</span>
