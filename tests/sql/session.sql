-- The settings that a session of the daemon must have. Included after BEGIN.

SET LOCAL log_parameter_max_length = 0;
SET LOCAL log_parameter_max_length_on_error = 0;
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL pgaudit.log_parameter = off;
SET LOCAL auto_explain.log_parameter_max_length = 0;
SET LOCAL synchronous_commit = on;
SET LOCAL session_replication_role = origin;
