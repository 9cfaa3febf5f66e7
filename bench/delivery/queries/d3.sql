SELECT c.name AS city, o.dt, COUNT(*) AS orders, SUM(o.amount) AS amount
FROM order_detail o
JOIN city c ON o.city_id = c.city_id
WHERE o.dt BETWEEN '2024-06-03' AND '2024-06-09'
GROUP BY c.name, o.dt
ORDER BY city, dt
