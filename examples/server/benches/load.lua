-- wrk's script: each right code once, as long as there are any, and guesses between them.
-- `rights`, `guesses` and `authorization` come from the file that KEYFOB_LOAD names.
dofile(os.getenv("KEYFOB_LOAD"))

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init()
  sent, accepted, refused, failed = 0, "", 0, 0
end

-- The second thread starts where the first one won't come by.
local function pick(list, turn)
  return list[(turn * 2 + number) % #list + 1]
end

function request()
  sent = sent + 1
  local list = sent % 10 == 0 and guesses or rights
  local user = pick(list, sent)
  local body = string.format('{"user_id":"%s","totp_code":"%s"}', user[1], user[2])
  return wrk.format("POST", "/v1/totps/authenticate", { Authorization = authorization }, body)
end

function response(status, _, body)
  if status == 200 then
    accepted = accepted .. string.match(body, '"user_id":"([^"]*)"') .. " "
  elseif status == 401 or status == 429 then
    refused = refused + 1
  else
    failed = failed + 1
  end
end

function done(summary, latency)
  for _, thread in ipairs(threads) do
    print("accepted " .. thread:get("accepted"))
    print("refused " .. thread:get("refused"))
    print("failed " .. thread:get("failed"))
  end
  local errors = summary.errors
  print("failed " .. errors.connect + errors.read + errors.write + errors.timeout)
  print("microseconds " .. summary.duration)
  print("median " .. latency:percentile(50))
  print("p99 " .. latency:percentile(99))
end
