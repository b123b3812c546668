import type pg from 'pg'

/** From now on no row of the table can be stored, as on a full disk. Gives back what makes room again. */
export async function fillDisk(pool: pg.Pool, table: string): Promise<() => Promise<void>> {
  await pool.query(`
    CREATE OR REPLACE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_row()`)
  return async () => {
    await pool.query(`DROP TRIGGER full_disk ON ${table}`)
  }
}
