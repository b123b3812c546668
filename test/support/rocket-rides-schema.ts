/** As github.com/brandur/rocket-rides-atomic has it. */
export const BRANDUR_SCHEMA = `
  CREATE TABLE idempotency_keys (
    id BIGSERIAL PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    idempotency_key TEXT NOT NULL CHECK (char_length(idempotency_key) <= 100),
    last_run_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    locked_at TIMESTAMPTZ DEFAULT now(),
    request_method TEXT NOT NULL CHECK (char_length(request_method) <= 10),
    request_params JSONB NOT NULL,
    request_path TEXT NOT NULL CHECK (char_length(request_path) <= 100),
    response_code INT NULL,
    response_body JSONB NULL,
    recovery_point TEXT NOT NULL CHECK (char_length(recovery_point) <= 50),
    user_id BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX idempotency_keys_user_id_idempotency_key ON idempotency_keys (user_id, idempotency_key);`
