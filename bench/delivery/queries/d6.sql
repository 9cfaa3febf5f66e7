SELECT city_id, channel, COUNT(DISTINCT user_id) AS users
FROM order_detail
WHERE dt BETWEEN '2024-06-03' AND '2024-06-09'
GROUP BY city_id, channel
ORDER BY city_id, channel
