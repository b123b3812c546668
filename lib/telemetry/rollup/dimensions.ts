/** How many values of each kind get figures of their own; what comes after is '(other)'. */
export const DIMENSION_VALUES_MAX = { service: 200, version: 1_000, endpoint: 1_000, client: 1_000 } as const

/** What is counted for all values that came when there was no room. */
export const OTHER = '(other)'

const KINDS = ['service', 'version', 'endpoint', 'client'] as const
const capOf = `CASE kind ${KINDS.map((kind) => `WHEN '${kind}' THEN ${DIMENSION_VALUES_MAX[kind]}`).join(' ')} END`

/**
 * CTEs for a roll-up statement with a CTE `raw` that has the four columns: values not known yet are admitted while
 * there is room. A value that another worker admits at the same time conflicts, and is returned all the same.
 */
export const ADMIT = `
  offered AS (
    ${KINDS.map((kind) => `SELECT DISTINCT '${kind}' AS kind, ${kind} AS value FROM raw`).join('\n    UNION ALL ')}
  ), unknown AS (
    SELECT kind, value,
           row_number() OVER (PARTITION BY kind ORDER BY value)
             + (SELECT count(*) FROM telemetry.dimension d WHERE d.kind = o.kind) AS place
    FROM offered o
    WHERE NOT EXISTS (SELECT FROM telemetry.dimension d WHERE d.kind = o.kind AND d.value = o.value)
  ), admitted AS (
    INSERT INTO telemetry.dimension AS d (kind, value)
    SELECT kind, value FROM unknown WHERE place <= ${capOf} ORDER BY kind, value
    ON CONFLICT (kind, value) DO UPDATE SET admitted_at = d.admitted_at
    RETURNING kind, value
  )`

const kept = (kind: (typeof KINDS)[number]) => `
         CASE WHEN EXISTS (SELECT FROM telemetry.dimension d WHERE d.kind = '${kind}' AND d.value = raw.${kind})
                OR ('${kind}', ${kind}) IN (SELECT kind, value FROM admitted) THEN ${kind} ELSE '${OTHER}' END AS ${kind}`

/** The four columns of `raw` as they are counted. */
export const KEPT = KINDS.map(kept).join(',')
