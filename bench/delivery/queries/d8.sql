SELECT COUNT(*) AS buyers, COUNT(later.user_id) AS again
FROM (SELECT DISTINCT user_id FROM order_detail WHERE dt = '2024-06-03') first
LEFT JOIN (SELECT DISTINCT user_id FROM order_detail WHERE dt BETWEEN '2024-06-04' AND '2024-06-09') later
  ON first.user_id = later.user_id
