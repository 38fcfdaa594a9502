/** What a commit does to jobs; the counterpart of `job-program.ts`. */
import { CONFLICT } from './schema-commit.ts';

export const JOB_FUNCTIONS = `
CREATE OR REPLACE FUNCTION job_apply(p_op jsonb, p_data bytea, p_index integer, p_now bigint) RETURNS outcome LANGUAGE plpgsql AS $$
DECLARE v_old record; v_live boolean; v_count integer; v_app text; v_row bigint := (p_op->>'row')::bigint; v_fence bigint := (p_op->>'fence')::bigint;
BEGIN
  CASE p_op->>'type'
  WHEN 'job.put' THEN
    SELECT id, expires_at IS NULL OR expires_at > p_now AS live INTO v_old FROM jobs WHERE app = p_op->>'app' AND name = p_op->>'name' FOR UPDATE;
    IF FOUND THEN
      IF v_old.live AND NOT (p_op->>'overwrite')::boolean THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = p_op->>'name', DETAIL = p_index::text; END IF;
      DELETE FROM jobs WHERE id = v_old.id;
    END IF;
    INSERT INTO jobs (app, name, created_at, due_at, free_at, expires_at, definition, data)
      VALUES (p_op->>'app', p_op->>'name', p_now, (p_op->>'dueAt')::bigint, (p_op->>'dueAt')::bigint, (p_op->>'expiresAt')::bigint, p_op->>'definition', p_data) ON CONFLICT (app, name) DO NOTHING;
    -- Another process put it at the same moment; what holds for one that is there holds for it too.
    IF NOT FOUND THEN RETURN job_apply(p_op, p_data, p_index, p_now); END IF;
    RETURN ROW('{}', ARRAY['jobs/' || (p_op->>'app')])::outcome;
  WHEN 'job.delete' THEN
    DELETE FROM jobs WHERE app = p_op->>'app' AND name = p_op->>'name' RETURNING expires_at IS NULL OR expires_at > p_now INTO v_live;
    RETURN ROW(jsonb_build_object('deleted', coalesce(v_live, false)), '{}')::outcome;
  WHEN 'job.delete-prefix' THEN
    DELETE FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM jobs WHERE app = p_op->>'app' AND name >= p_op->>'prefix' AND (NOT p_op ? 'end' OR name < p_op->>'end') LIMIT (p_op->>'limit')::integer FOR UPDATE));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN ROW(jsonb_build_object('count', v_count), '{}')::outcome;
  WHEN 'job.next' THEN
    UPDATE jobs SET owner = NULL, session = NULL, claim = NULL, claimed_at = NULL, attempt = 1, ticks = (p_op->>'ticks')::bigint, due_at = (p_op->>'dueAt')::bigint, free_at = (p_op->>'dueAt')::bigint WHERE id = v_row AND fence = v_fence;
  WHEN 'job.end' THEN DELETE FROM jobs WHERE id = v_row AND fence = v_fence;
  WHEN 'job.retry' THEN
    UPDATE jobs SET owner = NULL, session = NULL, claim = NULL, attempt = attempt + 1, free_at = (p_op->>'freeAt')::bigint WHERE id = v_row AND fence = v_fence RETURNING app INTO v_app;
  WHEN 'job.release' THEN
    UPDATE jobs SET owner = NULL, session = NULL, claim = NULL, claimed_at = NULL, free_at = due_at WHERE id = v_row AND fence = v_fence RETURNING app INTO v_app;
  END CASE;
  RETURN ROW(jsonb_build_object('applied', FOUND), CASE WHEN v_app IS NULL THEN '{}' ELSE ARRAY['jobs/' || v_app] END)::outcome;
END $$;
`;
