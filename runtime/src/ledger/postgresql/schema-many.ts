/**
 * What most batches of a group are, by one statement for all of them and not by some for each: results of activities, and steps that do no
 * more than read messages, write history, order activities and set the status (`isPlain` in `encode-batch.ts`). Semantics and
 * answers are those of `schema-workflow.ts`. Where any would be refused, the refusal is raised, and the whole group is applied again, one
 * batch after the other (`run_group`): so nobody looks here for whose fault it was.
 *
 * No two of these steps are of one instance, and no two results of one activity. Instances are locked in order of their ids: those of results before
 * (`lock_rows`), those of steps here.
 *
 * Rows of the queues (activities, messages) are looked for by arrays, or by subqueries that cannot be merged into a join (OFFSET 0): a join with
 * a table that was empty when the server last looked is planned as reading all of it for each row of the other.
 */
import { CONFLICT } from './schema-commit.ts';

export const MANY_FUNCTIONS = `
CREATE OR REPLACE FUNCTION wf_answer(p_result jsonb, p_touched text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT jsonb_build_object('results', jsonb_build_array(jsonb_build_object('workflow', p_result)), 'touched', to_jsonb(p_touched)) $$;

-- The plain results of activities in p_batches; their answers are put in their places.
CREATE OR REPLACE FUNCTION wf_complete_many(p_batches jsonb, INOUT p_answers jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_places integer[]; v_ids bigint[]; v_attempts integer[]; v_events text[]; v_is_results boolean[]; v_rows bigint[]; v_found integer[]; v_woken bigint[]; v_firsts bigint[]; v_touched text[]; v_instances bigint[]; v_n integer;
BEGIN
  SELECT array_agg(n), array_agg((b->>'activity')::bigint), array_agg((b->>'attempt')::integer), array_agg(b#>>'{message,event}'), array_agg(b#>>'{message,kind}' = 'result')
    INTO v_places, v_ids, v_attempts, v_events, v_is_results
    FROM jsonb_array_elements(p_batches) WITH ORDINALITY e(b, n) WHERE jsonb_typeof(b) = 'object' AND b->>'type' = 'workflow.complete';
  IF v_places IS NULL THEN RETURN; END IF;
  WITH gone AS (DELETE FROM wf_activities WHERE id = ANY(v_ids) AND attempt = v_attempts[array_position(v_ids, id)] RETURNING instance, array_position(v_ids, id) AS k)
  SELECT array_agg(instance), array_agg(k) INTO v_rows, v_found FROM gone;
  v_instances := array_fill(NULL::bigint, ARRAY[cardinality(v_ids)]);
  IF v_rows IS NOT NULL THEN
    WITH added AS (
      INSERT INTO wf_inbox (instance, is_result, event) SELECT f.instance, v_is_results[f.k], v_events[f.k] FROM unnest(v_rows, v_found) f(instance, k) ORDER BY f.k RETURNING instance, sequence)
    SELECT array_agg(a.instance), array_agg(a.first) INTO v_woken, v_firsts FROM (SELECT instance, min(sequence) AS first FROM added GROUP BY instance) a;
    WITH woken AS (UPDATE wf_instances SET ready = v_firsts[array_position(v_woken, id)] WHERE id = ANY(v_woken) AND ready IS NULL AND free_at IS NULL AND status <> 'suspended' RETURNING app)
    SELECT array_agg(DISTINCT 'workflow/' || app) INTO v_touched FROM woken;
    FOR v_n IN 1..cardinality(v_found) LOOP v_instances[v_found[v_n]] := v_rows[v_n]; END LOOP;
  END IF;
  FOR v_n IN 1..cardinality(v_places) LOOP
    p_answers[v_places[v_n]] := wf_answer(CASE WHEN v_instances[v_n] IS NULL THEN '{"applied": false}' ELSE jsonb_build_object('applied', true, 'row', v_instances[v_n]) END, CASE WHEN v_n = 1 THEN coalesce(v_touched, '{}') ELSE '{}' END);
  END LOOP;
END $$;

-- The plain steps in p_batches.
CREATE OR REPLACE FUNCTION wf_step_many(p_session bigint, p_batches jsonb, p_now bigint, INOUT p_answers jsonb[]) LANGUAGE plpgsql AS $$
DECLARE
  v_steps jsonb[]; v_places integer[]; v_rows bigint[]; v_fences bigint[]; v_statuses text[]; v_counts integer[]; v_datas text[]; v_events bigint[]; v_readies boolean[]; v_ids jsonb[]; v_orders jsonb[];
  v_instances bigint[]; v_numbers bigint[]; v_attempts integer[]; v_ended bigint[]; v_tids tid[]; v_touched text[]; v_more text[]; v_expected integer; v_gone integer; v_n integer; v_k integer;
BEGIN
  SELECT array_agg(b), array_agg(n), array_agg(id), array_agg((b->>'fence')::bigint), array_agg(b->>'status'), array_agg(coalesce((b#>>'{append,count}')::integer, 0)), array_agg(coalesce(b#>>'{append,data}', ''))
    INTO v_steps, v_places, v_rows, v_fences, v_statuses, v_counts, v_datas
    FROM (SELECT b, n, (b->>'row')::bigint AS id FROM jsonb_array_elements(p_batches) WITH ORDINALITY e(b, n) WHERE jsonb_typeof(b) = 'object' AND b->>'type' = 'workflow.step' ORDER BY id) s;
  IF v_places IS NULL THEN RETURN; END IF;

  SELECT array_agg(i.events), array_agg(DISTINCT 'workflow-status/' || i.app) FILTER (WHERE i.status <> v_statuses[i.k] OR (i.started_at IS NULL AND v_statuses[i.k] <> 'pending')) INTO v_events, v_touched
    FROM (SELECT app, events, status, started_at, array_position(v_rows, id) AS k FROM wf_instances WHERE id = ANY(v_rows) AND fence = v_fences[array_position(v_rows, id)] AND NOT wf_is_terminal(status) ORDER BY id FOR NO KEY UPDATE) i;
  IF coalesce(cardinality(v_events), 0) < cardinality(v_rows) THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'fence'; END IF;

  SELECT array_agg((r->>'activity')::bigint), array_agg((r->>'attempt')::integer), count(*) INTO v_numbers, v_attempts, v_expected FROM unnest(v_steps) s CROSS JOIN LATERAL jsonb_array_elements(s->'resolved') r WHERE s ? 'resolved';
  IF v_expected > 0 THEN
    DELETE FROM wf_activities WHERE id = ANY(v_numbers) AND attempt = v_attempts[array_position(v_numbers, id)];
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    IF v_gone < v_expected THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'activity'; END IF;
  END IF;

  SELECT array_agg((s->>'row')::bigint), array_agg(c::bigint), count(*) INTO v_instances, v_numbers, v_expected FROM unnest(v_steps) s CROSS JOIN LATERAL jsonb_array_elements_text(s->'consumed') c WHERE s ? 'consumed';
  IF v_expected > 0 THEN
    v_tids := ARRAY(SELECT m.tid FROM unnest(v_instances, v_numbers) c(instance, number) CROSS JOIN LATERAL (SELECT ctid AS tid FROM wf_inbox WHERE instance = c.instance AND later IN (false, true) AND sequence = c.number OFFSET 0) m);
    DELETE FROM wf_inbox WHERE ctid = ANY(v_tids);
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    IF v_gone < v_expected THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'message'; END IF;
  END IF;

  INSERT INTO wf_history SELECT h.id, h.first, h.count, h.data FROM unnest(v_rows, v_events, v_counts, v_datas) h(id, first, count, data) WHERE h.count > 0;
  DELETE FROM wf_payloads WHERE instance = ANY(ARRAY(SELECT (s->>'row')::bigint FROM unnest(v_steps) s WHERE s ? 'customStatus')) AND sequence = -1;
  INSERT INTO wf_snapshots SELECT (s->>'row')::bigint, s->>'snapshot' FROM unnest(v_steps) s WHERE s ? 'snapshot' ON CONFLICT (instance) DO UPDATE SET data = excluded.data;

  SELECT array_agg(e.id) INTO v_ended FROM unnest(v_rows, v_statuses) e(id, status) WHERE wf_is_terminal(e.status);
  IF v_ended IS NOT NULL THEN
    DELETE FROM wf_activities WHERE instance = ANY(v_ended);
    DELETE FROM wf_timers WHERE instance = ANY(v_ended);
    DELETE FROM wf_inbox WHERE instance = ANY(v_ended);
  END IF;

  v_ids := array_fill('[]'::jsonb, ARRAY[cardinality(v_rows)]);
  SELECT count(*) INTO v_expected FROM unnest(v_steps) s CROSS JOIN LATERAL jsonb_array_elements(s->'activities') a WHERE s ? 'activities';
  IF v_expected > 0 THEN
    WITH ordered AS (
      SELECT nextval('wf_activity_id') AS id, v_rows[s.k] AS instance, a.* FROM unnest(v_steps) WITH ORDINALITY s(step, k)
        CROSS JOIN LATERAL jsonb_to_recordset(s.step->'activities') AS a("taskId" bigint, app text, name text, request text, "endBy" bigint, "runMs" bigint, "beatMs" bigint, claim jsonb) WHERE s.step ? 'activities'),
    added AS (
      INSERT INTO wf_activities (id, instance, task_id, app, name, ready, free_at, owner, session, end_by, run_ms, run_until, beat_ms, expires_at, request)
      SELECT n.id, n.instance, n."taskId", n.app, n.name, CASE WHEN n.claim IS NULL THEN n.id END, p_now + (n.claim->>'leaseMs')::bigint, n.claim->>'owner', CASE WHEN n.claim IS NOT NULL THEN p_session END,
        n."endBy", n."runMs", CASE WHEN n.claim IS NOT NULL THEN p_now + n."runMs" END, n."beatMs", least(n."endBy", CASE WHEN n.claim IS NOT NULL THEN p_now + least(n."runMs", n."beatMs") END), n.request
      FROM ordered n ON CONFLICT DO NOTHING RETURNING id, instance, app, ready)
    SELECT array_agg(o.instance), array_agg(o.ids), sum(o.count), (SELECT array_agg(DISTINCT 'workflow/' || app) FROM added WHERE ready IS NOT NULL) INTO v_instances, v_orders, v_gone, v_more
      FROM (SELECT instance, jsonb_agg(id ORDER BY id) AS ids, count(*) AS count FROM added GROUP BY instance) o;
    IF coalesce(v_gone, 0) < v_expected THEN RAISE EXCEPTION USING ERRCODE = '${CONFLICT}', MESSAGE = 'task'; END IF;
    FOR v_n IN 1..cardinality(v_instances) LOOP v_ids[array_position(v_rows, v_instances[v_n])] := v_orders[v_n]; END LOOP;
    v_touched := v_touched || v_more;
  END IF;

  WITH stepped AS (
    UPDATE wf_instances i SET
      fence = i.fence + 1, turn = i.turn + 1, events = i.events + s.count, bytes = i.bytes + length(s.data), updated_at = p_now, failures = 0, version = coalesce(s.step->>'version', i.version), status = s.status,
      reason = CASE WHEN s.step ? 'reason' THEN s.step->>'reason' ELSE i.reason END, custom_status = CASE WHEN s.step ? 'customStatus' THEN s.step->>'customStatus' ELSE i.custom_status END,
      started_at = CASE WHEN s.status <> 'pending' THEN coalesce(i.started_at, p_now) ELSE i.started_at END, completed_at = CASE WHEN wf_is_terminal(s.status) THEN p_now END,
      ready = CASE WHEN NOT wf_is_terminal(s.status) AND s.status <> 'suspended' THEN (SELECT u.sequence FROM wf_inbox u WHERE u.instance = i.id ORDER BY u.later, u.sequence LIMIT 1) END,
      free_at = NULL, owner = NULL, session = NULL, claim = NULL
    FROM unnest(v_rows, v_statuses, v_counts, v_datas, v_steps) s(id, status, count, data, step) WHERE i.id = s.id RETURNING i.id, i.app, i.turn, i.ready)
  SELECT array_agg(id), array_agg(turn), array_agg(ready IS NOT NULL), array_agg(DISTINCT 'workflow/' || app) FILTER (WHERE ready IS NOT NULL) INTO v_instances, v_numbers, v_readies, v_more FROM stepped;
  v_touched := v_touched || v_more;
  FOR v_n IN 1..cardinality(v_instances) LOOP
    v_k := array_position(v_rows, v_instances[v_n]);
    p_answers[v_places[v_k]] := wf_answer(jsonb_build_object('applied', true, 'row', v_rows[v_k], 'fence', v_fences[v_k] + 1, 'turn', v_numbers[v_n], 'ready', v_readies[v_n], 'activities', v_ids[v_k]), CASE WHEN v_n = 1 THEN coalesce(v_touched, '{}') ELSE '{}' END);
  END LOOP;
END $$;
`;
